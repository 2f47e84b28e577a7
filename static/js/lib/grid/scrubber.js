// The bar at the side that jumps to any month: a native slider, with years beside it.

import { need } from "../base/dom.js";
import { rowAt } from "./justified.js";
import { placeWords } from "../base/words.js";

/** @typedef {import("./picture-list.js").PictureList} PictureList */
/** @typedef {import("./photo-grid.js").PhotoGrid} PhotoGrid */

const MOST_LABELS = 14;
// A list of fewer screens needs no scrubber.
const FROM_SCREENS = 3;

export class Scrubber {
  #root;
  #slider;
  #hint;
  #labels;
  #list;
  #grid;
  #photos;

  /**
   * @param {HTMLElement} root
   * @param {HTMLElement} photos the grid's element
   * @param {PictureList} list
   * @param {PhotoGrid} grid
   */
  constructor(root, photos, list, grid) {
    this.#root = root;
    this.#photos = photos;
    this.#list = list;
    this.#grid = grid;
    this.#slider = need(root, "input", HTMLInputElement);
    this.#hint = need(root, ".scrubber__hint", HTMLElement);
    this.#labels = need(root, ".scrubber__labels", HTMLElement);
    this.#slider.addEventListener("input", () => this.#lead());
    photos.addEventListener("laid-out", () => this.#draw());
    addEventListener("scroll", () => this.#follow(), { passive: true });
    addEventListener("resize", () => this.#draw());
  }

  #draw() {
    this.#root.hidden = this.#grid.height < innerHeight * FROM_SCREENS;
    document.documentElement.toggleAttribute("data-scrubber", !this.#root.hidden);
    if (this.#root.hidden) return;
    this.#labels.replaceChildren(...this.#marks());
    this.#follow();
  }

  /** Where each year begins, or each letter; not so many that they touch. */
  #marks() {
    /** @type {{words: string, at: number}[]} */
    const places = [];
    for (const row of this.#grid.rows) {
      const words = mark(this.#list.sections[row.section].key);
      if (words !== places.at(-1)?.words) places.push({ words, at: row.top / this.#grid.height });
    }
    /** @type {HTMLElement[]} */
    const marks = [];
    let last = -1;
    for (const { words, at } of places) {
      if (at - last < 1 / MOST_LABELS && last >= 0) continue;
      const label = document.createElement("span");
      label.textContent = words;
      label.style.insetBlockStart = `${at * 100}%`;
      marks.push(label);
      last = at;
    }
    return marks;
  }

  /** The slider was moved. */
  #lead() {
    const top = this.#photos.getBoundingClientRect().top + scrollY;
    const way = Math.max(1, this.#grid.height - innerHeight);
    scrollTo({ top: top + Number(this.#slider.value) * way, behavior: "instant" });
  }

  /** The page was scrolled. */
  #follow() {
    if (this.#root.hidden) return;
    const y = -this.#photos.getBoundingClientRect().top;
    const way = Math.max(1, this.#grid.height - innerHeight);
    const at = Math.min(1, Math.max(0, y / way));
    if (document.activeElement !== this.#slider || !this.#slider.matches(":active")) this.#slider.value = String(at);
    this.#root.toggleAttribute("data-at-start", y <= 0);
    const row = this.#grid.rows[rowAt(this.#grid.rows, Math.max(0, y) + 1)];
    const words = row ? placeWords(this.#list.sections[row.section].key) : "";
    this.#slider.setAttribute("aria-valuetext", words);
    this.#hint.textContent = words;
    this.#hint.style.insetBlockStart = `${at * 100}%`;
  }
}

/** @param {string} key */
function mark(key) {
  return /^\d{4}-/.test(key) ? key.slice(0, 4) : key;
}
