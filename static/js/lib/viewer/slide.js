// One picture on the viewer's stage: the tile's thumbnail at once, then the preview over it, then, zoomed in, the original.

import { clone, need } from "../base/dom.js";
import { fetchPreview, showDecoded, showsItself } from "./load.js";
import { nameOf } from "../base/words.js";

/** @typedef {import("../base/api.js").Picture} Picture */

// Larger animations stay still: they would take the connection away from the next pictures.
const MOVING_BYTES = 24 << 20;

export class Slide {
  element = clone("viewer-slide");
  frame = need(this.element, "[data-slide=frame]", HTMLElement);
  /** The picture's size on the stage when it is seen whole. */
  fit = { width: 1, height: 1 };
  #preview = need(this.element, "[data-slide=preview]", HTMLImageElement);
  #original = need(this.element, "[data-slide=original]", HTMLImageElement);
  #abort = new AbortController();
  #url = "";
  /** @type {Promise<void> | null} */
  #loading = null;

  /** @param {Picture} picture */
  constructor(picture) {
    this.picture = picture;
    need(this.element, "[data-slide=thumbnail]", HTMLImageElement).src = `/api/v1/images/${picture.id}/thumbnail`;
    this.tell(picture);
  }

  /** @param {Picture} picture the same picture, after a change */
  tell(picture) {
    this.picture = picture;
    this.frame.setAttribute("aria-label", nameOf(picture));
  }

  get isLoaded() {
    return !this.#preview.hidden;
  }

  get isDropped() {
    return this.#abort.signal.aborted;
  }

  /**
   * Loads the preview, once. After a failure it may be loaded again.
   * @returns {Promise<void>}
   */
  load() {
    this.#loading ??= this.#load().catch((error) => {
      this.#loading = null;
      throw error;
    });
    return this.#loading;
  }

  /** Puts the original over the preview, where a browser can show it. If it does not come, the preview still stands. */
  sharpen() {
    if (this.#original.src || !showsItself(this.picture)) return;
    void showDecoded(this.#original, `/api/v1/images/${this.picture.id}/original?inline=true`).catch(() => {
      this.#original.removeAttribute("src");
    });
  }

  /** Shows the original of an animation, since a preview is one still. */
  enliven() {
    if (this.picture.content_type === "image/gif" && this.picture.size <= MOVING_BYTES) this.sharpen();
  }

  /**
   * Fits the picture into the stage, never enlarged: a small picture stays sharp.
   * @param {{width: number, height: number}} room
   */
  fitInto(room) {
    const { width, height } = this.picture;
    const scale = Math.min(room.width / width, room.height / height, 1);
    this.fit = { width: Math.max(1, width * scale), height: Math.max(1, height * scale) };
    this.frame.style.width = `${this.fit.width}px`;
    this.frame.style.height = `${this.fit.height}px`;
  }

  /**
   * Places the slide: 0 is the stage itself, -1 and 1 are beside it.
   * @param {number} place
   */
  standAt(place) {
    this.element.style.setProperty("--place", String(place));
    this.element.toggleAttribute("data-far", Math.abs(place) > 1);
    this.element.inert = place !== 0;
    this.element.setAttribute("aria-hidden", String(place !== 0));
  }

  /** Aborts requests under way and frees the images. */
  drop() {
    this.#abort.abort();
    this.element.remove();
    this.#original.removeAttribute("src");
    URL.revokeObjectURL(this.#url);
  }

  async #load() {
    const blob = await fetchPreview(this.picture.id, this.#abort.signal);
    if (this.isDropped) return;
    URL.revokeObjectURL(this.#url);
    this.#url = URL.createObjectURL(blob);
    await showDecoded(this.#preview, this.#url);
  }
}
