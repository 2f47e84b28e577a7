// A closer look at a tile without opening it: for a pointer or a keyboard focus that rests on it. Touch has the viewer.
// It can be dismissed (Escape), pointed at, and stays until pointer or focus leave (WCAG 1.4.13).

import { clone, need } from "../base/dom.js";
import { dimensions } from "./facts.js";
import { bytes, dayAndTime } from "../base/words.js";

/** @typedef {import("../base/api.js").Picture} Picture */

const POINTER_MS = 600;
const FOCUS_MS = 900;
// On its way from the tile to the preview the pointer is on neither for a moment.
const CROSSING_MS = 120;
const LARGEST_PX = 400;
const SMALLEST_PX = 160;
const GAP_PX = 8;

export class HoverPreview {
  #grid;
  #pictureOf;
  #popover = clone("hover-preview");
  #image = need(this.#popover, "img", HTMLImageElement);
  /** @type {Element | null} the tile that is previewed, or may soon be */
  #tile = null;
  /** @type {number | undefined} */
  #timer;

  /**
   * @param {HTMLElement} grid
   * @param {(element: Element) => Picture | null} pictureOf the picture whose tile the element is, or is in
   */
  constructor(grid, pictureOf) {
    this.#grid = grid;
    this.#pictureOf = pictureOf;
    need(document, "main", HTMLElement).append(this.#popover);
    grid.addEventListener("pointerover", (event) => {
      // A pressed button is the beginning of a selection or a drag.
      if (event.pointerType !== "mouse" || event.buttons !== 0) this.hide();
      else this.#turnTo(event.target, POINTER_MS);
    });
    grid.addEventListener("pointerleave", () => this.#leave());
    this.#popover.addEventListener("pointerenter", () => clearTimeout(this.#timer));
    this.#popover.addEventListener("pointerleave", () => this.#leave());
    grid.addEventListener("focusin", ({ target }) => {
      if (target instanceof Element && target.matches(":focus-visible")) this.#turnTo(target, FOCUS_MS);
    });
    grid.addEventListener("focusout", () => this.hide());
    const hide = () => this.hide();
    for (const event of ["pointerdown", "click", "dragstart", "contextmenu", "wheel"]) document.addEventListener(event, hide, { passive: true });
    for (const event of ["scroll", "blur", "resize"]) addEventListener(event, hide, { capture: true, passive: true });
    document.addEventListener("keydown", (event) => this.#key(event), { capture: true });
  }

  get isShown() {
    return this.#popover.matches(":popover-open");
  }

  hide() {
    clearTimeout(this.#timer);
    document.querySelector("[aria-describedby=hover-preview]")?.removeAttribute("aria-describedby");
    this.#tile = null;
    if (this.isShown) this.#popover.hidePopover();
  }

  /**
   * @param {EventTarget | null} target
   * @param {number} rest milliseconds before the preview is shown
   */
  #turnTo(target, rest) {
    const tile = this.#tileOf(target);
    if (tile && tile === this.#tile) {
      if (this.isShown) clearTimeout(this.#timer);
      return;
    }
    if (!tile && this.isShown) return this.#leave();
    this.hide();
    this.#tile = tile;
    if (tile) this.#timer = setTimeout(() => this.#show(tile), rest);
  }

  #leave() {
    clearTimeout(this.#timer);
    if (this.isShown) this.#timer = setTimeout(() => this.hide(), CROSSING_MS);
    else this.hide();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    // Escape closes the preview, and must not reach the page.
    if (event.key === "Escape" && this.isShown) event.stopPropagation();
    this.hide();
  }

  /**
   * The outermost element that is still about one picture.
   * @param {EventTarget | null} target
   */
  #tileOf(target) {
    let tile = target instanceof Element && target !== this.#grid && this.#pictureOf(target) ? target : null;
    while (tile?.parentElement && tile.parentElement !== this.#grid && this.#pictureOf(tile.parentElement)) tile = tile.parentElement;
    return tile;
  }

  /** @param {Element} tile */
  async #show(tile) {
    const picture = this.#pictureOf(tile);
    if (!picture || !tile.isConnected || document.querySelector("dialog:modal")) return this.hide();
    this.#image.src = `/api/v1/images/${picture.id}/thumbnail`;
    // Never shown empty; the tile has the thumbnail already.
    const isDecoded = await this.#image.decode().then(() => true, () => false);
    if (!isDecoded || this.#tile !== tile) return;
    this.#describe(picture);
    this.#popover.showPopover();
    if (!this.#place(tile.getBoundingClientRect(), picture)) return this.hide();
    const focused = document.activeElement;
    if (focused && tile.contains(focused)) focused.setAttribute("aria-describedby", "hover-preview");
  }

  /** @param {Picture} picture */
  #describe(picture) {
    need(this.#popover, "[data-hover=name]", HTMLElement).textContent = picture.name;
    need(this.#popover, "[data-hover=day]", HTMLElement).textContent = dayAndTime(picture);
    need(this.#popover, "[data-hover=facts]", HTMLElement).textContent = `${dimensions(picture)} · ${bytes(picture.size)}`;
  }

  /**
   * Places the preview beside the tile, else under or over it, and never on it.
   * @param {DOMRect} tile
   * @param {Picture} picture
   * @returns {boolean} whether there is room
   */
  #place(tile, picture) {
    const words = need(this.#popover, "[data-hover=words]", HTMLElement).offsetHeight;
    const [left, above] = [tile.left - 2 * GAP_PX, tile.top - 2 * GAP_PX];
    const [right, below] = [innerWidth - tile.right - 2 * GAP_PX, innerHeight - tile.bottom - 2 * GAP_PX];
    const isBeside = Math.max(left, right) >= SMALLEST_PX;
    const room = isBeside ? { x: Math.max(left, right), y: innerHeight - 2 * GAP_PX } : { x: innerWidth - 2 * GAP_PX, y: Math.max(above, below) };
    const scale = Math.min(LARGEST_PX / Math.max(picture.width, picture.height), room.x / picture.width, (room.y - words) / picture.height, 1);
    const [width, height] = [picture.width * scale, picture.height * scale];
    if (Math.min(room.x, room.y - words) < SMALLEST_PX / 2) return false;
    this.#image.style.width = `${width}px`;
    this.#image.style.height = `${height}px`;
    const box = this.#popover.getBoundingClientRect();
    const along = isBeside ? [tile.top, tile.height, box.height, innerHeight] : [tile.left, tile.width, box.width, innerWidth];
    const middle = Math.max(GAP_PX, Math.min(along[0] + (along[1] - along[2]) / 2, along[3] - along[2] - GAP_PX));
    const x = !isBeside ? middle : right >= left ? tile.right + GAP_PX : tile.left - GAP_PX - box.width;
    const y = isBeside ? middle : below >= above ? tile.bottom + GAP_PX : tile.top - GAP_PX - box.height;
    this.#popover.style.translate = `${Math.round(x)}px ${Math.round(y)}px`;
    return true;
  }
}
