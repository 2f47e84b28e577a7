// The viewer's details: the facts about the picture, and the form that edits its name, caption and tags.

import { announce } from "../base/announce.js";
import { call } from "../base/api.js";
import { clone, need } from "../base/dom.js";
import { Refusal } from "../base/refusal.js";
import { factsOf } from "./facts.js";

/** @typedef {import("../base/api.js").Picture} Picture */
/** @typedef {{name: string, caption: string, tags: string}} Typed */

const NAMES = /** @type {const} */ (["name", "caption", "tags"]);
const COPIED_MS = 2500;

export class Details {
  #panel;
  #form;
  #saved;
  /** @type {Picture | null} */
  #picture = null;
  /** Unsaved input, by picture: going on to another one loses nothing. @type {Map<string, Typed>} */
  #drafts = new Map();

  /**
   * @param {HTMLElement} panel
   * @param {(picture: Picture) => void} saved
   */
  constructor(panel, saved) {
    this.#panel = panel;
    this.#saved = saved;
    this.#form = need(panel, "form", HTMLFormElement);
    this.#form.addEventListener("input", () => this.#picture && this.#drafts.set(this.#picture.id, this.#typed()));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#save();
    });
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  /**
   * @param {boolean} open
   * @returns {boolean} whether the focus was in the panel that is now hidden
   */
  toggle(open) {
    const hadFocus = !open && this.#panel.contains(document.activeElement);
    this.#panel.hidden = !open;
    return hadFocus;
  }

  /** @param {Picture} picture */
  show(picture) {
    if (picture === this.#picture) return;
    const isOther = this.#picture?.id !== picture.id;
    this.#picture = picture;
    const draft = this.#drafts.get(picture.id);
    const { name, caption, tags } = draft ?? wordsOf(picture);
    // A field that has these words already is left alone, since somebody may be typing in it.
    for (const [field, words] of Object.entries({ name, caption, tags })) {
      if (this.#field(field).value !== words) this.#field(field).value = words;
    }
    this.#form.hidden = picture.state === "trashed";
    if (isOther) {
      this.#refuse({});
      this.#say(draft ? "These changes are not saved yet." : "");
      this.#panel.scrollTop = 0;
    }
    need(this.#panel, "[data-viewer=facts]", HTMLElement).replaceChildren(...factsOf(picture).map(rowOf));
  }

  async #save() {
    const picture = this.#picture;
    if (!picture) return;
    const typed = this.#typed();
    const tags = typed.tags.split(",").map((tag) => tag.trim()).filter(Boolean);
    this.#refuse({});
    this.#say("Saving …");
    try {
      const changed = await call("PATCH", `/api/v1/images/${picture.id}`, { name: typed.name, caption: typed.caption, tags });
      this.#drafts.delete(picture.id);
      // Only if the same picture is still shown.
      if (this.#picture?.id === picture.id) this.#say("Saved.");
      announce("Saved.");
      this.#saved(changed);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (this.#picture?.id === picture.id) this.#refused(error);
    }
  }

  /** @param {Refusal} refusal */
  #refused(refusal) {
    const { errors } = refusal;
    const first = NAMES.find((name) => errors[name]);
    this.#refuse(errors);
    this.#say(first ? "Not saved: please look at what is marked." : `Not saved. ${refusal.detail}`);
    announce(first ? `Not saved. ${errors[first]}` : `Not saved. ${refusal.detail}`);
    if (first) this.#field(first).focus();
  }

  /** @param {Record<string, string>} errors by field */
  #refuse(errors) {
    for (const name of NAMES) {
      const words = need(this.#form, `[data-error=${name}]`, HTMLElement);
      need(words, "span", HTMLElement).textContent = errors[name] ?? "";
      words.hidden = !errors[name];
      if (errors[name]) this.#field(name).setAttribute("aria-invalid", "true");
      else this.#field(name).removeAttribute("aria-invalid");
    }
  }

  /** @param {string} words */
  #say(words) {
    need(this.#form, "[data-viewer=saved]", HTMLElement).textContent = words;
  }

  /** @returns {Typed} */
  #typed() {
    return { name: this.#field("name").value, caption: this.#field("caption").value, tags: this.#field("tags").value };
  }

  /** @param {string} name */
  #field(name) {
    return /** @type {HTMLInputElement | HTMLTextAreaElement} */ (need(this.#form, `[name=${name}]`, HTMLElement));
  }
}

/** @param {Picture} picture @returns {Typed} */
function wordsOf(picture) {
  return { name: picture.name, caption: picture.caption, tags: picture.tags.join(", ") };
}

/** @param {import("./facts.js").Fact} fact */
function rowOf({ term, lines, copy }) {
  const row = clone("viewer-fact");
  const value = need(row, "[data-fact=value]", HTMLElement);
  need(row, "dt", HTMLElement).textContent = term;
  value.textContent = lines.join("\n");
  const button = need(row, "button", HTMLButtonElement);
  button.hidden = !copy || !navigator.clipboard;
  button.setAttribute("aria-label", `Copy: ${term}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(lines.join("\n"));
      announce("Copied");
      button.setAttribute("data-copied", "");
      setTimeout(() => button.removeAttribute("data-copied"), COPIED_MS);
    } catch {
      getSelection()?.selectAllChildren(value);
      announce("Selected: press Ctrl+C to copy.");
    }
  });
  return row;
}
