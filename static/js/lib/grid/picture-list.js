// The list of pictures that a page shows: its shape at once, the pictures themselves as they come into sight.

import { call } from "../base/api.js";
import { Pages } from "./pages.js";

/** @typedef {import("../base/api.js").Picture} Picture */
/** @typedef {import("./justified.js").Section} Section */
/** @typedef {import("./pages.js").Page} Page */
/**
 * @typedef {object} Query
 * @property {string} q
 * @property {string} sort
 * @property {boolean} favourites
 * @property {"active" | "trashed"} state
 */

/**
 * Dispatches "removed" with the pictures that were taken out, "shape" when some came or went, "change" when
 * anything is different, and "outdated" when the server no longer has pictures that were shown.
 */
export class PictureList extends EventTarget {
  /** @type {Section[]} */
  sections = [];
  /** One byte a picture. */
  ratios = new Uint8Array(0);
  /** Bytes of all originals. */
  bytes = 0;
  /** Indexes of the pictures in sight: the first, and the one behind the last. Set by the grid. */
  sight = () => [0, 0];

  #pages = new Pages([], 1, 0, async () => [], () => {});
  /** The refresh that is under way; only the last one counts. */
  #asking = Symbol();

  /** @param {Query} query */
  constructor(query) {
    super();
    this.query = query;
  }

  get total() {
    return this.ratios.length;
  }

  /**
   * Fetches the list's shape anew, and the pictures in sight, before anything that is shown is given up.
   * @param {Query} query
   */
  async refresh(query = this.query) {
    const asking = (this.#asking = Symbol());
    const parameters = parametersOf(query);
    const shape = await call("GET", `/api/v1/timeline?${clock()}&${parameters}`);
    /** @type {Pages} */
    const pages = new Pages(
      shape.cursors,
      shape.page,
      shape.total,
      (page) => fetchPage(page, parameters),
      (page) => this.#loaded(pages, page),
    );
    const [from, to] = this.sight();
    const ahead = Math.max(0, shape.total - this.total);
    await Promise.all([pages.loadRange(from, to), pages.loadRange(from + ahead, to + ahead)]);
    // Another refresh began in between: it is newer.
    if (asking !== this.#asking) return;
    this.query = query;
    this.sections = shape.sections;
    this.ratios = Uint8Array.from(atob(shape.ratios), (c) => c.charCodeAt(0));
    this.bytes = shape.bytes;
    this.#pages = pages;
    this.#reshaped();
  }

  /**
   * @param {number} index
   * @returns {Picture | null} null while it is not loaded
   */
  peek(index) {
    return this.#pages.peek(index);
  }

  /**
   * @param {number} index
   * @returns {Promise<Picture | null>} null beyond the end
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
   * Removes pictures that are gone: loaded ones at once, the rest with the next refresh.
   * @param {Iterable<string>} ids
   */
  remove(ids) {
    const named = [...ids];
    // A refresh that began before may still hold them.
    this.#asking = Symbol();
    const gone = named.filter((id) => this.indexOf(id) >= 0);
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
    this.dispatchEvent(new CustomEvent("removed", { detail: named }));
    this.#reshaped();
  }

  /**
   * Replaces a picture that was changed, such as by giving it a name.
   * @param {Picture} picture
   */
  replace(picture) {
    if (this.#pages.replace(picture)) this.dispatchEvent(new Event("change"));
  }

  /**
   * @param {Pages} pages
   * @param {Page} page
   */
  #loaded(pages, page) {
    if (pages !== this.#pages) return;
    this.dispatchEvent(new Event("change"));
    // Pictures were removed elsewhere, such as on another device.
    if (page.pictures && page.pictures.length < page.count) this.dispatchEvent(new Event("outdated"));
  }

  #reshaped() {
    this.dispatchEvent(new Event("shape"));
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * @param {Page} page
 * @param {string} parameters of the list
 * @returns {Promise<Picture[]>}
 */
async function fetchPage({ cursor, count }, parameters) {
  /** @type {Picture[]} */
  const pictures = [];
  let next = cursor;
  do {
    const from = next ? `&cursor=${encodeURIComponent(next)}` : "";
    const list = await call("GET", `/api/v1/images?limit=${count - pictures.length}${from}&${parameters}`);
    pictures.push(...list.items);
    // Pictures with long records come in several pages.
    next = list.next_cursor;
  } while (next && pictures.length < count);
  return pictures;
}

/** @param {Query} query */
function parametersOf({ q, sort, favourites, state }) {
  return new URLSearchParams({ q, sort, state, favourite: String(favourites) }).toString();
}

/** The clock whose days are meant: the zone's, or today's offset where the server does not know the zone. */
function clock() {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return new URLSearchParams({ tz: timeZone, utc_offset: String(-new Date().getTimezoneOffset()) }).toString();
}
