// The tiles of the grid: a placeholder at once, the name and the thumbnail once they are loaded.

import { clone, need } from "../base/dom.js";
import { ratioOf } from "./justified.js";
import { placeholder } from "./thumbhash.js";
import { Thumbnails } from "./thumbnails.js";
import { dayAndTime, nameOf } from "../base/words.js";

/** @typedef {import("./picture-list.js").PictureList} PictureList */
/** @typedef {import("../base/api.js").Picture} Picture */
/** @typedef {import("./justified.js").Row} Row */
/** @typedef {import("./selection.js").Selection} Selection */

/** Dispatches "trouble" when a picture or thumbnail in sight did not load. */
export class Tiles extends EventTarget {
  /** While set, no picture is requested. */
  hurry = false;

  #list;
  #selection;
  /** @type {Map<number, HTMLElement>} */
  #tiles = new Map();
  #thumbnails = new Thumbnails(() => this.#trouble());
  /** @type {[number, number]} */
  #preview = [0, 0];

  /**
   * @param {PictureList} list
   * @param {Selection} selection
   */
  constructor(list, selection) {
    super();
    this.#list = list;
    this.#selection = selection;
    list.addEventListener("change", () => this.fillAll());
    selection.addEventListener("change", () => this.#markAll());
  }

  /** @param {number} index */
  at(index) {
    return this.#tiles.get(index) ?? null;
  }

  /**
   * @param {Row} row
   * @param {{width: number, gap: number}} measures
   * @param {number} current the picture that Tab reaches
   */
  draw(row, { width, gap }, current) {
    /** @type {HTMLElement[]} */
    const tiles = [];
    let left = 0;
    for (let index = row.from; index < row.to; index += 1) {
      // The last tile gets the pixels that rounding has left over.
      const own = Math.min(ratioOf(this.#list.ratios[index]) * row.scale, width - left);
      const tile = clone("photo");
      tile.dataset.index = String(index);
      tile.tabIndex = index === current ? 0 : -1;
      tile.style.insetInlineStart = `${left}px`;
      tile.style.inlineSize = `${own}px`;
      this.#tiles.set(index, tile);
      this.#fill(index, tile);
      tiles.push(tile);
      left += own + gap;
    }
    return tiles;
  }

  /** @param {Row} row */
  forget(row) {
    for (let index = row.from; index < row.to; index += 1) this.#tiles.delete(index);
  }

  forgetAll() {
    this.#tiles.clear();
  }

  fillAll() {
    for (const [index, tile] of this.#tiles) this.#fill(index, tile);
  }

  /** Loads everything in sight again, also thumbnails that were given up after failing too often. */
  tryAgain() {
    this.#thumbnails.forgive();
    this.fillAll();
  }

  #markAll() {
    for (const tile of this.#tiles.values()) this.#mark(tile);
  }

  /**
   * Shows which pictures a range would select.
   * @param {number} from
   * @param {number} to the one behind the last; the same as `from` for none
   */
  previewRange(from, to) {
    const [oldFrom, oldTo] = this.#preview;
    this.#preview = [from, to];
    for (let index = Math.min(from, oldFrom); index < Math.max(to, oldTo); index += 1) {
      this.#tiles.get(index)?.classList.toggle("photo--in-range", index >= from && index < to);
    }
  }

  /**
   * @param {number} index
   * @param {HTMLElement} tile
   */
  #fill(index, tile) {
    const picture = this.#list.peek(index);
    if (!picture) {
      // When it is loaded, the list's "change" fills the tile.
      if (!this.hurry) this.#list.load(index).catch(() => (tile.classList.add("photo--failed"), this.#trouble()));
      return;
    }
    tile.classList.remove("photo--failed");
    if (tile.dataset.id !== picture.id) this.#dress(tile, picture);
    tile.classList.toggle("photo--favourite", picture.favourite);
    tile.setAttribute("aria-label", labelOf(picture));
    this.#mark(tile);
    if (!this.hurry || this.#thumbnails.has(picture.id)) this.#show(tile, picture);
  }

  /**
   * @param {HTMLElement} tile
   * @param {Picture} picture
   */
  #dress(tile, picture) {
    tile.dataset.id = picture.id;
    const link = need(tile, "a", HTMLAnchorElement);
    link.href = `/vault/images/${picture.id}`;
    link.replaceChildren(...[placeholder(picture.thumbhash)].filter((canvas) => canvas !== null));
  }

  /**
   * @param {HTMLElement} tile
   * @param {Picture} picture
   */
  #show(tile, picture) {
    const image = this.#thumbnails.at(picture.id);
    tile.classList.toggle("photo--failed", image === null);
    if (!image) return;
    const link = need(tile, "a", HTMLAnchorElement);
    if (image.parentElement === link) return;
    const settle = () => {
      if (image.naturalWidth > 0 && image.parentElement === link) link.querySelector("canvas")?.remove();
    };
    link.append(image);
    if (image.complete) settle();
    else image.addEventListener("load", settle, { once: true });
  }

  #trouble() {
    this.dispatchEvent(new Event("trouble"));
  }

  /** @param {HTMLElement} tile */
  #mark(tile) {
    tile.setAttribute("aria-selected", String(tile.dataset.id !== undefined && this.#selection.has(tile.dataset.id)));
  }
}

/** @param {Picture} picture */
function labelOf(picture) {
  const parts = [nameOf(picture), dayAndTime(picture), picture.favourite ? "favourite" : ""];
  return parts.filter(Boolean).join(", ");
}
