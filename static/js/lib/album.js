// The list of pictures that a page shows: its shape at once, the pictures themselves as they are looked at.

import { call } from "./api.js";
import { Pages } from "./pages.js";

/** @typedef {import("./api.js").Picture} Picture */
/** @typedef {import("./justified.js").Section} Section */
/** @typedef {import("./pages.js").Page} Page */
/**
 * @typedef {object} Query
 * @property {string} q
 * @property {string} sort
 * @property {boolean} favourites
 * @property {"active" | "trashed"} state
 */

/** Tells by the event "shape" when pictures came or went, and by "change" whenever anything is different. */
export class Album extends EventTarget {
  /** @type {Section[]} */
  sections = [];
  /** One byte a picture. */
  ratios = new Uint8Array(0);
  /** Bytes of all originals. */
  bytes = 0;
  /** Whether the shape has come. */
  ready = false;

  #pages = new Pages([], 1, 0, async () => [], () => {});
  #generation = 0;

  /** @param {Query} query */
  constructor(query) {
    super();
    this.query = query;
  }

  get total() {
    return this.ratios.length;
  }

  /** Asks for the list's shape anew; what was loaded is forgotten. */
  async refresh() {
    const generation = (this.#generation += 1);
    const shape = await call("GET", `/api/v1/timeline?utc_offset=${-new Date().getTimezoneOffset()}&${this.#parameters()}`);
    // Somebody asked again in between: theirs is newer.
    if (generation !== this.#generation) return;
    this.sections = shape.sections;
    this.ratios = Uint8Array.from(atob(shape.ratios), (c) => c.charCodeAt(0));
    this.bytes = shape.bytes;
    this.#pages = new Pages(shape.cursors, shape.page, shape.total, (page) => this.#fetch(page), (page) => this.#loaded(page, generation));
    this.ready = true;
    this.#reshaped();
  }

  /**
   * @param {number} index
   * @returns {Picture | null} nothing while it is not loaded
   */
  peek(index) {
    return this.#pages.peek(index);
  }

  /**
   * @param {number} index
   * @returns {Promise<Picture | null>} nothing beyond the end
   */
  load(index) {
    return this.#pages.load(index);
  }

  /**
   * The pictures from `from` (included) to `to` (not).
   * @param {number} from
   * @param {number} to
   * @returns {Promise<Picture[]>}
   */
  loadRange(from, to) {
    return this.#pages.loadRange(from, to);
  }

  /**
   * @param {string} id
   * @returns {number} -1 while it is not loaded
   */
  indexOf(id) {
    return this.#pages.indexOf(id);
  }

  /**
   * Takes out what is gone, of what is loaded.
   * @param {Iterable<string>} ids
   */
  remove(ids) {
    const gone = [...ids].filter((id) => this.indexOf(id) >= 0);
    const places = new Set(gone.map((id) => this.indexOf(id)));
    for (const at of places) this.bytes -= this.peek(at)?.size ?? 0;
    let first = 0;
    this.sections = this.sections.flatMap(({ key, count }) => {
      let left = count;
      for (let at = first; at < first + count; at += 1) if (places.has(at)) left -= 1;
      first += count;
      return left > 0 ? [{ key, count: left }] : [];
    });
    this.ratios = this.ratios.filter((_, at) => !places.has(at));
    this.#pages.remove(gone);
    this.#reshaped();
  }

  /**
   * A picture that was changed, such as by giving it a name.
   * @param {Picture} picture
   */
  replace(picture) {
    if (this.#pages.replace(picture)) this.dispatchEvent(new Event("change"));
  }

  /**
   * @param {Page} page
   * @returns {Promise<Picture[]>}
   */
  async #fetch({ cursor, count }) {
    const from = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    return (await call("GET", `/api/v1/images?limit=${count}${from}&${this.#parameters()}`)).items;
  }

  /**
   * @param {Page} page
   * @param {number} generation
   */
  #loaded(page, generation) {
    if (generation !== this.#generation) return;
    this.dispatchEvent(new Event("change"));
    // Pictures were taken away elsewhere, so the shape is out of date. Where it cannot be had now, the next page tells.
    if (page.pictures && page.pictures.length < page.count) this.refresh().catch(() => {});
  }

  #parameters() {
    const { q, sort, favourites, state } = this.query;
    return new URLSearchParams({ q, sort, state, favourite: String(favourites) }).toString();
  }

  #reshaped() {
    this.dispatchEvent(new Event("shape"));
    this.dispatchEvent(new Event("change"));
  }
}
