// The virtual grid of a list: only the rows in sight are in the page, each at the place that the layout gives it.

import { seenFrom, wayBackTo } from "./place.js";
import { layOut, measuresFor, rowAt, rowOf, rowsAround } from "./justified.js";
import { headingOf } from "./section-heading.js";

/** @typedef {import("./picture-list.js").PictureList} PictureList */
/** @typedef {import("./justified.js").Row} Row */
/** @typedef {import("./photo-tile.js").Tiles} Tiles */

// Pictures are requested once scrolling is slower than this: those that fly by need not be loaded.
const FAST_PX_PER_MS = 4;
const REST_MS = 90;

export class PhotoGrid {
  /** @type {Row[]} */
  rows = [];
  height = 0;
  /** Index of the picture that has the focus, or gets it by Tab (roving tabindex). */
  current = 0;

  #root;
  #list;
  #tiles;
  /** @type {Map<number, HTMLElement>} */
  #drawn = new Map();
  #measures = measuresFor(0, innerWidth);
  #lastY = 0;
  #lastAt = 0;
  #rest = 0;

  /**
   * @param {HTMLElement} root with the role of a grid
   * @param {PictureList} list
   * @param {Tiles} tiles
   */
  constructor(root, list, tiles) {
    this.#root = root;
    this.#list = list;
    this.#tiles = tiles;
    new ResizeObserver(() => this.#root.clientWidth !== this.#measures.width && this.layOut()).observe(root);
    addEventListener("scroll", () => this.#scrolled(), { passive: true });
    list.addEventListener("shape", () => this.layOut());
    list.sight = () => this.picturesInSight();
  }

  /** Rows in sight, headings among them: the first, and the one behind the last. */
  inSight() {
    const y = this.#offset();
    return this.rows.length ? [rowAt(this.rows, Math.max(0, y)), rowAt(this.rows, y + innerHeight) + 1] : [0, 0];
  }

  /**
   * Indexes of the pictures in sight: the first, and the one behind the last.
   * @returns {[number, number]}
   */
  picturesInSight() {
    const [first, last] = this.inSight();
    const rows = this.rows.slice(first, last);
    return [rows[0]?.from ?? 0, rows.at(-1)?.to ?? 0];
  }

  get rowsInSight() {
    const [first, last] = this.inSight();
    return Math.max(1, this.rows.slice(first, last).filter((row) => row.to > row.from).length - 1);
  }

  /**
   * Shows which pictures a range would select.
   * @param {number} from
   * @param {number} to the one behind the last
   */
  previewRange(from, to) {
    this.#tiles.previewRange(from, to);
  }

  /**
   * The picture of the tile that the target is, or is in.
   * @param {EventTarget | null} target
   * @returns {number} -1 for none
   */
  indexAt(target) {
    const tile = target instanceof Element ? target.closest(".photo") : null;
    return tile instanceof HTMLElement && this.#root.contains(tile) ? Number(tile.dataset.index) : -1;
  }

  /**
   * Scrolls so that the picture is in sight, and not below a bar or the tray.
   * @param {number} index
   */
  reveal(index) {
    const row = this.rows[rowOf(this.rows, index)];
    if (!row) return;
    const { scrollPaddingBlockStart, scrollPaddingBlockEnd } = getComputedStyle(document.documentElement);
    const top = row.top - this.#offset() - (parseFloat(scrollPaddingBlockStart) || 0);
    const bottom = row.top + row.height - this.#offset() - innerHeight + (parseFloat(scrollPaddingBlockEnd) || 0);
    if (top < 0) scrollBy(0, top - this.#measures.gap);
    else if (bottom > 0) scrollBy(0, bottom + this.#measures.gap);
    this.draw();
  }

  /**
   * Moves the focus to a picture.
   * @param {number} index
   */
  focus(index) {
    this.#stand(Math.max(0, Math.min(index, this.#list.total - 1)));
    this.reveal(this.current);
    this.#tiles.at(this.current)?.focus({ preventScroll: true });
  }

  /** Makes one tile the stop for the Tab key. @param {number} index */
  #stand(index) {
    const before = this.#tiles.at(this.current);
    if (before) before.tabIndex = -1;
    this.current = index;
    const now = this.#tiles.at(index);
    if (now) now.tabIndex = 0;
  }

  /** @param {number} index where the focus has come by itself */
  stoodOn(index) {
    if (index >= 0 && index !== this.current) this.#stand(index);
  }

  /** Lays all rows out anew. Not before the grid is in the page, since until then it has no width. */
  layOut() {
    if (!this.#root.isConnected) return;
    const seen = seenFrom(this.rows, this.#offset(), (index) => this.#tiles.at(index)?.dataset.id ?? "");
    const focused = this.indexAt(document.activeElement) >= 0;
    const standing = this.#tiles.at(this.current)?.dataset.id ?? "";
    this.#measures = measuresFor(this.#root.clientWidth, innerWidth);
    ({ rows: this.rows, height: this.height } = layOut(this.#list.sections, this.#list.ratios, this.#measures));
    this.#root.style.blockSize = `${this.height}px`;
    this.#root.setAttribute("aria-rowcount", String(this.rows.length));
    for (const row of this.#drawn.values()) row.remove();
    this.#drawn.clear();
    this.#tiles.forgetAll();
    const stand = this.#list.indexOf(standing);
    this.current = stand >= 0 ? stand : Math.min(this.current, Math.max(0, this.#list.total - 1));
    scrollBy(0, wayBackTo(seen, this.rows, this.#offset(), (id) => this.#list.indexOf(id)));
    this.draw(focused ? rowOf(this.rows, this.current) : -1);
    // Without this the focus would be lost with the tile that had it.
    if (focused) this.#tiles.at(this.current)?.focus({ preventScroll: true });
    this.#root.dispatchEvent(new Event("laid-out"));
  }

  /** Draws the rows in sight and removes the others; the row with the focus stays. */
  draw(kept = this.#root.contains(document.activeElement) ? rowOf(this.rows, this.current) : -1) {
    if (this.rows.length === 0) return;
    const [first, last] = rowsAround(this.rows, this.#offset(), innerHeight);
    for (const [at, row] of this.#drawn) {
      if ((at >= first && at <= last) || at === kept) continue;
      this.#tiles.forget(this.rows[at]);
      row.remove();
      this.#drawn.delete(at);
    }
    for (let at = first; at <= last; at += 1) if (!this.#drawn.has(at)) this.#drawRow(at);
    if (kept >= 0 && !this.#drawn.has(kept)) this.#drawRow(kept);
    // Tab always finds a picture, wherever the grid is scrolled to.
    if (!this.#tiles.at(this.current)) this.#stand(this.picturesInSight()[0]);
  }

  /** @param {number} at */
  #drawRow(at) {
    const row = this.rows[at];
    const element = document.createElement("div");
    element.setAttribute("role", "row");
    element.setAttribute("aria-rowindex", String(at + 1));
    element.className = row.from === row.to ? "photos__heading" : "photos__row";
    element.style.transform = `translateY(${row.top}px)`;
    element.style.blockSize = `${row.height}px`;
    if (row.from === row.to) element.append(headingOf(this.#list.sections[row.section].key, row.section));
    else element.append(...this.#tiles.draw(row, this.#measures, this.current));
    // In the order of the list, for screen readers.
    const before = [...this.#drawn.keys()].filter((other) => other > at);
    const next = before.length ? this.#drawn.get(Math.min(...before)) : undefined;
    this.#root.insertBefore(element, next ?? null);
    this.#drawn.set(at, element);
  }

  #scrolled() {
    const now = performance.now();
    const speed = Math.abs(scrollY - this.#lastY) / Math.max(1, now - this.#lastAt);
    [this.#lastY, this.#lastAt] = [scrollY, now];
    this.#tiles.hurry = speed > FAST_PX_PER_MS;
    this.draw();
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      this.#tiles.hurry = false;
      this.#tiles.fillAll();
    }, REST_MS);
  }

  /** How far the list's top is above the window's. */
  #offset() {
    return -this.#root.getBoundingClientRect().top;
  }
}
