// The viewer's stage: the picture in the middle, its neighbours preloaded beside it, and words where one cannot be shown.

import { need } from "../base/dom.js";
import { Slide } from "./slide.js";
import { Zoom } from "./zoom.js";

/** @typedef {import("../base/api.js").Picture} Picture */
/** @typedef {{before: Picture | null, after: Picture | null, later: Picture | null}} Around */

// While somebody leafs quickly, thumbnails are shown; previews are loaded once a picture stays.
const HURRY_MS = 150;
const SETTLE_MS = 120;
const GAP_PX = 24;
const SWIPE_PART = 0.22;
const SWIPE_SPEED = 0.4;

export class Stage {
  zoom = new Zoom(() => this.#zoomed());
  #root;
  #hooks;
  #track;
  #trouble;
  #progress;
  /** @type {Map<string, Slide>} */
  #slides = new Map();
  /** @type {Slide | null} */
  #current = null;
  #shownAt = 0;
  /** @type {number | undefined} */
  #settling;

  /**
   * @param {HTMLElement} root
   * @param {{failed: (picture: Picture, error: unknown) => void, zoomed: () => void}} hooks
   */
  constructor(root, hooks) {
    this.#root = root;
    this.#hooks = hooks;
    this.#track = need(root, "[data-viewer=track]", HTMLElement);
    this.#trouble = need(root, "[data-viewer=trouble]", HTMLElement);
    this.#progress = need(root, "[data-viewer=progress]", HTMLElement);
    need(root, "[data-viewer=retry]", HTMLButtonElement).addEventListener("click", () => this.retry());
    new ResizeObserver(() => this.#fit()).observe(root);
  }

  /** Whether words stand where the picture should. */
  get hasTrouble() {
    return !this.#trouble.hidden;
  }

  /**
   * @param {Picture} picture
   * @param {Around} around
   */
  show(picture, around) {
    const isSame = this.#current?.picture.id === picture.id;
    this.#arrange(picture, around);
    if (isSame) return;
    this.#current = this.#slides.get(picture.id) ?? null;
    this.trouble(null);
    this.#fit();
    const hurried = performance.now() - this.#shownAt < HURRY_MS;
    this.#shownAt = performance.now();
    clearTimeout(this.#settling);
    if (hurried) this.#settling = setTimeout(() => this.retry(), SETTLE_MS);
    else this.retry();
  }

  /** Loads the picture that is shown, again where it failed, and then its neighbours. */
  async retry() {
    const slide = this.#current;
    if (!slide) return;
    this.trouble(null);
    this.#progress.hidden = slide.isLoaded;
    try {
      await slide.load();
    } catch (error) {
      if (slide === this.#current) this.#hooks.failed(slide.picture, error);
      return;
    }
    if (slide !== this.#current) return;
    this.#progress.hidden = true;
    slide.enliven();
    // In the order of the map: after, before, later. A slide that fails is retried when its turn comes.
    for (const other of [...this.#slides.values()]) {
      if (slide !== this.#current) return;
      if (!other.isDropped) await other.load().catch(() => {});
    }
  }

  /** @param {string | null} words why the picture cannot be shown */
  trouble(words) {
    this.#trouble.hidden = words === null;
    this.#progress.hidden ||= words !== null;
    need(this.#trouble, "[data-viewer=trouble-words]", HTMLElement).textContent = words;
  }

  /** @param {number} by -1 or 1 */
  hasNeighbour(by) {
    return [...this.#slides.values()].some((slide) => slide.element.style.getPropertyValue("--place") === String(by));
  }

  /**
   * All slides follow the finger; towards an end of the list, only a little.
   * @param {number} dx
   */
  drag(dx) {
    const way = this.hasNeighbour(dx < 0 ? 1 : -1) ? dx : dx / 4;
    this.#track.removeAttribute("data-smooth");
    this.#track.style.setProperty("--drag", `${way}px`);
  }

  /**
   * The finger has left: goes on, or back. `step` changes the picture at once, and the rest of the way is eased.
   * @param {number} dx
   * @param {number} speed
   * @param {(by: number) => void} step
   */
  release(dx, speed, step) {
    const by = dx < 0 ? 1 : -1;
    const isMeant = Math.abs(dx) > this.#root.clientWidth * SWIPE_PART || (Math.abs(speed) > SWIPE_SPEED && speed < 0 === dx < 0);
    const goes = dx !== 0 && isMeant && this.hasNeighbour(by);
    if (isMeant && dx !== 0) step(by);
    if (goes) this.#track.style.setProperty("--drag", `${dx + by * (this.#root.clientWidth + GAP_PX)}px`);
    // Forces a layout at the present place, so that the transition has a start.
    void this.#track.offsetWidth;
    this.#track.setAttribute("data-smooth", "");
    this.#track.style.setProperty("--drag", "0px");
  }

  clear() {
    clearTimeout(this.#settling);
    for (const slide of this.#slides.values()) slide.drop();
    this.#slides.clear();
    this.#current = null;
    this.trouble(null);
  }

  /**
   * @param {Picture} picture
   * @param {Around} around
   */
  #arrange(picture, { before, after, later }) {
    const kept = this.#slides;
    this.#slides = new Map();
    for (const [place, what] of /** @type {[number, Picture | null][]} */ ([[0, picture], [1, after], [-1, before], [2, later]])) {
      if (!what || this.#slides.has(what.id)) continue;
      const slide = kept.get(what.id) ?? new Slide(what);
      kept.delete(what.id);
      slide.tell(what);
      slide.standAt(place);
      if (!slide.element.isConnected) this.#track.append(slide.element);
      this.#slides.set(what.id, slide);
    }
    for (const slide of kept.values()) slide.drop();
    for (const slide of this.#slides.values()) slide.fitInto(this.#room);
  }

  #fit() {
    const slide = this.#current;
    if (!slide) return;
    for (const each of this.#slides.values()) each.fitInto(this.#room);
    const sharp = slide.picture.width / (slide.fit.width * devicePixelRatio);
    this.zoom.hold(slide.frame, slide.fit, this.#room, sharp);
  }

  get #room() {
    return { width: this.#root.clientWidth, height: this.#root.clientHeight };
  }

  #zoomed() {
    if (this.zoom.isZoomed) this.#current?.sharpen();
    this.#root.toggleAttribute("data-zoomed", this.zoom.isZoomed);
    this.#hooks.zoomed();
  }
}
