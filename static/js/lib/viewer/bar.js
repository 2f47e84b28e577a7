// The viewer's controls: the words about the picture, which controls apply, and that they fade while nobody needs them.

import { need } from "../base/dom.js";
import { number } from "../base/words.js";

/** @typedef {import("../base/api.js").Picture} Picture */

const REST_MS = 3000;

export class Bar {
  #dialog;
  #name;
  #count;
  /** @type {number | undefined} */
  #resting;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {Record<string, () => void>} commands by the names in data-do
   */
  constructor(dialog, commands) {
    this.#dialog = dialog;
    this.#name = need(dialog, "[data-viewer=name]", HTMLElement);
    this.#count = need(dialog, "[data-viewer=count]", HTMLElement);
    dialog.addEventListener("click", (event) => {
      const button = event.target instanceof Element && event.target.closest("[data-do]");
      if (button instanceof HTMLButtonElement) commands[button.dataset.do ?? ""]?.();
    });
    dialog.addEventListener("pointermove", (event) => void (event.pointerType === "mouse" && this.wake()));
    dialog.addEventListener("focusin", () => this.wake());
  }

  /**
   * @param {Picture} picture
   * @param {number} index
   * @param {number} total
   */
  show(picture, index, total) {
    const trashed = picture.state === "trashed";
    this.#name.textContent = picture.name;
    this.#count.textContent = place(index, total);
    const download = this.#control("download", HTMLAnchorElement);
    download.href = `/api/v1/images/${picture.id}/original`;
    const favourite = this.#control("favourite", HTMLButtonElement);
    favourite.setAttribute("aria-pressed", String(picture.favourite));
    favourite.hidden = trashed;
    this.#control("restore", HTMLButtonElement).hidden = !trashed;
    const remove = this.#control("remove", HTMLButtonElement);
    remove.title = trashed ? "Delete for good" : "Delete";
    remove.setAttribute("aria-label", remove.title);
    this.#offer("before", index > 0);
    this.#offer("after", index < total - 1);
  }

  /** Presses the plain link: the browser saves the file by itself. */
  download() {
    this.#control("download", HTMLAnchorElement).click();
  }

  /**
   * @param {"details" | "fullscreen" | "zoom"} name
   * @param {boolean} pressed
   */
  press(name, pressed) {
    this.#control(name, HTMLButtonElement).setAttribute("aria-pressed", String(pressed));
  }

  /** @param {"details"} name */
  focus(name) {
    this.#control(name, HTMLButtonElement).focus();
  }

  /** Shows the controls, and lets them fade after a while. */
  wake() {
    clearTimeout(this.#resting);
    this.#dialog.removeAttribute("data-calm");
    this.#resting = setTimeout(() => this.#rest(), REST_MS);
  }

  /** A tap shows the controls or takes them away. */
  toggle() {
    if (this.#dialog.hasAttribute("data-calm")) return this.wake();
    clearTimeout(this.#resting);
    if (!this.#isNeeded()) this.#dialog.setAttribute("data-calm", "");
  }

  stop() {
    clearTimeout(this.#resting);
  }

  #rest() {
    // On a touch screen no pointer moves to wake the controls: there they stay until a tap.
    if (matchMedia("(prefers-reduced-motion: reduce), (hover: none)").matches || this.#isNeeded()) return;
    this.#dialog.setAttribute("data-calm", "");
  }

  /** Whether the controls have keyboard focus or the pointer, or there is something to read. */
  #isNeeded() {
    return this.#dialog.querySelector(":is([data-viewer=bar], [data-viewer=details]) :focus-visible, [data-do]:hover, [data-viewer=details]:not([hidden]), [data-viewer=trouble]:not([hidden])") !== null;
  }

  /**
   * @param {string} name
   * @param {boolean} offered
   */
  #offer(name, offered) {
    const button = this.#control(name, HTMLButtonElement);
    if (!offered && button === document.activeElement) this.#dialog.focus();
    button.hidden = !offered;
  }

  /**
   * @template {HTMLElement} T
   * @param {string} name
   * @param {new () => T} kind
   * @returns {T}
   */
  #control(name, kind) {
    return need(this.#dialog, `[data-do=${name}]`, kind);
  }
}

/**
 * "12 of 1,340".
 * @param {number} index
 * @param {number} total
 */
export function place(index, total) {
  return `${number(index + 1)} of ${number(total)}`;
}
