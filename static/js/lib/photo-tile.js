// The tiles of the grid: a placeholder at once, the name and the thumbnail when they are known.

import { clone, need } from "./dom.js";
import { ratioOf } from "./justified.js";
import { placeholder } from "./thumbhash.js";
import { dayAndTime } from "./words.js";

/** @typedef {import("./album.js").Album} Album */
/** @typedef {import("./api.js").Picture} Picture */
/** @typedef {import("./justified.js").Row} Row */
/** @typedef {import("./selection.js").Selection} Selection */

// Thumbnails that stay in memory, so that scrolling back shows them at once. The browser may keep none on disk.
const MOST_IMAGES = 600;

export class Tiles {
  /** While set, no picture is asked for. */
  hurry = false;

  #album;
  #selection;
  /** @type {Map<number, HTMLElement>} */
  #tiles = new Map();
  /** Those seen last stand last. @type {Map<string, HTMLImageElement>} */
  #images = new Map();
  /** @type {[number, number]} */
  #preview = [0, 0];

  /**
   * @param {Album} album
   * @param {Selection} selection
   */
  constructor(album, selection) {
    this.#album = album;
    this.#selection = selection;
  }

  /** @param {number} index */
  at(index) {
    return this.#tiles.get(index) ?? null;
  }

  /**
   * @param {Row} row
   * @param {{width: number, gap: number}} measures
   * @param {number} current the picture that the keyboard stands on
   */
  draw(row, { width, gap }, current) {
    /** @type {HTMLElement[]} */
    const tiles = [];
    let left = 0;
    for (let index = row.from; index < row.to; index += 1) {
      // The last one takes what rounding has left over.
      const own = Math.min(ratioOf(this.#album.ratios[index]) * row.scale, width - left);
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

  markAll() {
    for (const tile of this.#tiles.values()) this.#mark(tile);
  }

  /**
   * Shows which pictures a range would take.
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
    const picture = this.#album.peek(index);
    if (!picture) {
      // The answer comes as a change of the album; a failure is told there too.
      if (!this.hurry) this.#album.load(index).catch(() => tile.classList.add("photo--failed"));
      return;
    }
    tile.classList.remove("photo--failed");
    if (tile.dataset.id !== picture.id) this.#dress(tile, picture);
    tile.classList.toggle("photo--favourite", picture.favourite);
    tile.setAttribute("aria-label", labelOf(picture));
    this.#mark(tile);
    if (!this.hurry || this.#images.has(picture.id)) this.#show(tile, picture);
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
    const image = this.#image(picture.id);
    const link = need(tile, "a", HTMLAnchorElement);
    if (image.parentElement === link) return;
    const settle = () => {
      if (image.naturalWidth > 0 && image.parentElement === link) link.querySelector("canvas")?.remove();
    };
    link.append(image);
    if (image.complete) settle();
    else image.addEventListener("load", settle, { once: true });
  }

  /** @param {string} id */
  #image(id) {
    const image = this.#images.get(id) ?? new Image();
    this.#images.delete(id);
    this.#images.set(id, image);
    if (!image.src) {
      image.decoding = "async";
      image.draggable = false;
      image.alt = "";
      image.addEventListener(
        "error",
        () => {
          // The placeholder stays, and whoever comes by next asks again.
          this.#images.delete(id);
          image.remove();
        },
        { once: true },
      );
      image.src = `/api/v1/images/${id}/thumbnail`;
    }
    for (const [oldest, old] of this.#images) {
      if (this.#images.size <= MOST_IMAGES) break;
      if (!old.isConnected) this.#images.delete(oldest);
      else break;
    }
    return image;
  }

  /** @param {HTMLElement} tile */
  #mark(tile) {
    tile.setAttribute("aria-selected", String(tile.dataset.id !== undefined && this.#selection.has(tile.dataset.id)));
  }
}

/** @param {Picture} picture */
function labelOf(picture) {
  const parts = [picture.name.trim() || "Picture without a name", dayAndTime(picture), picture.favourite ? "favourite" : ""];
  return parts.filter(Boolean).join(", ");
}
