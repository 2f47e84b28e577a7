// The grid of an album: only the rows in sight are in the page, each at the place that the layout gives it.

import { Tiles } from "./photo-tile.js";
import { layOut, measuresFor, rowAt, rowOf, rowsAround } from "./justified.js";
import { headingOf } from "./section-heading.js";

/** @typedef {import("./album.js").Album} Album */
/** @typedef {import("./justified.js").Row} Row */
/** @typedef {import("./selection.js").Selection} Selection */

// Pictures are asked for once scrolling is slower than this: those that fly by need not be opened.
const FAST_PX_PER_MS = 4;
const REST_MS = 90;

export class PhotoGrid {
  /** @type {Row[]} */
  rows = [];
  height = 0;
  /** Index of the picture that the keyboard stands on. */
  current = 0;

  #root;
  #album;
  #tiles;
  /** @type {Map<number, HTMLElement>} */
  #drawn = new Map();
  #measures = measuresFor(0, innerWidth);
  #total = 0;
  #lastY = 0;
  #lastAt = 0;
  #rest = 0;

  /**
   * @param {HTMLElement} root with the role of a grid
   * @param {Album} album
   * @param {Selection} selection
   */
  constructor(root, album, selection) {
    this.#root = root;
    this.#album = album;
    this.#tiles = new Tiles(album, selection);
    new ResizeObserver(() => this.#root.clientWidth !== this.#measures.width && this.#layOut()).observe(root);
    addEventListener("scroll", () => this.#scrolled(), { passive: true });
    album.addEventListener("shape", () => this.#layOut());
    album.addEventListener("change", () => this.#fill());
    selection.addEventListener("change", () => this.#mark());
  }

  /** Rows in sight, headings among them: the first, and the one behind the last. */
  inSight() {
    const y = this.#offset();
    return this.rows.length ? [rowAt(this.rows, Math.max(0, y)), rowAt(this.rows, y + innerHeight) + 1] : [0, 0];
  }

  get rowsInSight() {
    const [first, last] = this.inSight();
    return Math.max(1, this.rows.slice(first, last).filter((row) => row.to > row.from).length - 1);
  }

  /**
   * Shows which pictures a range would take.
   * @param {number} from
   * @param {number} to the one behind the last
   */
  previewRange(from, to) {
    this.#tiles.previewRange(from, to);
  }

  /**
   * The picture that a tile or something in it stands for.
   * @param {EventTarget | null} target
   * @returns {number} -1 for none
   */
  indexAt(target) {
    const tile = target instanceof Element ? target.closest(".photo") : null;
    return tile instanceof HTMLElement && this.#root.contains(tile) ? Number(tile.dataset.index) : -1;
  }

  /**
   * Scrolls so that the picture is in sight.
   * @param {number} index
   * @param {ScrollLogicalPosition} [block]
   */
  reveal(index, block = "nearest") {
    const row = this.rows[rowOf(this.rows, index)];
    if (!row) return;
    const bars = parseFloat(getComputedStyle(document.documentElement).scrollPaddingBlockStart) || 0;
    const [top, bottom] = [row.top - this.#offset() - bars, row.top + row.height - this.#offset() - innerHeight];
    if (block === "center") scrollBy(0, row.top - this.#offset() - (innerHeight - row.height) / 2);
    else if (top < 0) scrollBy(0, top - this.#measures.gap);
    else if (bottom > 0) scrollBy(0, bottom + this.#measures.gap);
    this.draw();
  }

  /**
   * Puts the keyboard on a picture.
   * @param {number} index
   */
  focus(index) {
    this.#stand(Math.max(0, Math.min(index, this.#album.total - 1)));
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

  #layOut() {
    const fresh = this.#album.total - this.#total;
    // What is new comes in front where the newest stand first: what one looks at stays in its place.
    const y = this.#offset();
    const anchor = this.#total > 0 && y > 0 && this.#album.query.sort === "-uploaded_at" ? this.rows[rowAt(this.rows, y)] : null;
    this.#measures = measuresFor(this.#root.clientWidth, innerWidth);
    ({ rows: this.rows, height: this.height } = layOut(this.#album.sections, this.#album.ratios, this.#measures));
    this.#root.style.blockSize = `${this.height}px`;
    this.#root.setAttribute("aria-rowcount", String(this.rows.length));
    this.#total = this.#album.total;
    this.current = Math.min(this.current, Math.max(0, this.#total - 1));
    for (const row of this.#drawn.values()) row.remove();
    this.#drawn.clear();
    this.#tiles.forgetAll();
    if (anchor) {
      const moved = this.rows[rowOf(this.rows, Math.max(0, Math.min(anchor.from + fresh, this.#total - 1)))];
      if (moved) scrollBy(0, moved.top - anchor.top);
    }
    this.draw();
    this.#root.dispatchEvent(new Event("laid-out"));
  }

  /** Brings the page in line with what is in sight. */
  draw() {
    if (this.rows.length === 0) return;
    const [first, last] = rowsAround(this.rows, this.#offset(), innerHeight);
    const kept = this.#root.contains(document.activeElement) ? rowOf(this.rows, this.current) : -1;
    for (const [at, row] of this.#drawn) {
      if ((at >= first && at <= last) || at === kept) continue;
      this.#tiles.forget(this.rows[at]);
      row.remove();
      this.#drawn.delete(at);
    }
    for (let at = first; at <= last; at += 1) if (!this.#drawn.has(at)) this.#drawRow(at);
    if (kept >= 0 && !this.#drawn.has(kept)) this.#drawRow(kept);
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
    if (row.from === row.to) element.append(headingOf(this.#album.sections[row.section].key, row.section));
    else element.append(...this.#tiles.draw(row, this.#measures, this.current));
    // In the order of the list, for those who hear the page.
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
      this.#fill();
    }, REST_MS);
  }

  #fill() {
    this.#tiles.fillAll();
  }

  #mark() {
    this.#tiles.markAll();
  }

  /** How far the list's beginning is above the window's. */
  #offset() {
    return -this.#root.getBoundingClientRect().top;
  }
}
