// A long list in pages: which page holds a picture, which are loaded, which are evicted again.

/** @typedef {import("../base/api.js").Picture} Picture */
/**
 * @typedef {object} Page
 * @property {string | null} cursor leads to its first picture
 * @property {number} first index of its first picture
 * @property {number} count
 * @property {Picture[] | null} pictures once they have come
 * @property {Promise<Picture[]> | null} asked
 */

// Pages kept: 10,000 pictures, far more than can be in sight.
const MOST_PAGES = 50;
const AT_ONCE = 4;

export class Pages {
  /** @type {Page[]} */
  #pages;
  /** Pages that are asked for or loaded, the most recently used last. @type {Set<Page>} */
  #used = new Set();
  /** @type {Map<string, Page>} */
  #pageOf = new Map();
  #fetch;
  #loaded;

  /**
   * @param {(string | null)[]} cursors one a page
   * @param {number} size pictures of a page
   * @param {number} total pictures of the list
   * @param {(page: Page) => Promise<Picture[]>} fetch
   * @param {(page: Page) => void} loaded called once its pictures can be peeked at
   */
  constructor(cursors, size, total, fetch, loaded) {
    this.#fetch = fetch;
    this.#loaded = loaded;
    this.#pages = cursors.map((cursor, at) => ({ cursor, first: at * size, count: Math.min(size, total - at * size), pictures: null, asked: null }));
  }

  /**
   * @param {number} index
   * @returns {Picture | null} null while it is not loaded
   */
  peek(index) {
    const page = this.#pageAt(index);
    return page?.pictures?.[index - page.first] ?? null;
  }

  /**
   * @param {number} index
   * @returns {Promise<Picture | null>} null beyond the end
   */
  async load(index) {
    const page = this.#pageAt(index);
    return page ? ((await this.#ask(page))[index - page.first] ?? null) : null;
  }

  /**
   * The pictures from `from` (included) to `to` (not).
   * @param {number} from
   * @param {number} to
   * @returns {Promise<Picture[]>}
   */
  async loadRange(from, to) {
    const pages = this.#pages.filter((page) => page.first < to && page.first + page.count > from);
    /** @type {Picture[]} */
    const found = [];
    for (let at = 0; at < pages.length; at += AT_ONCE) {
      const some = pages.slice(at, at + AT_ONCE);
      const loaded = await Promise.all(some.map((page) => this.#ask(page)));
      for (const [n, pictures] of loaded.entries()) found.push(...pictures.slice(Math.max(0, from - some[n].first), to - some[n].first));
    }
    return found;
  }

  /**
   * @param {string} id
   * @returns {number} -1 while it is not loaded
   */
  indexOf(id) {
    const page = this.#pageOf.get(id);
    return page?.pictures ? page.first + page.pictures.findIndex((picture) => picture.id === id) : -1;
  }

  /**
   * Removes loaded pictures. A cursor stays valid: it names a place in the order, not an index.
   * @param {string[]} ids
   */
  remove(ids) {
    for (const id of ids) {
      const page = this.#pageOf.get(id);
      if (!page?.pictures) continue;
      page.pictures = page.pictures.filter((picture) => picture.id !== id);
      page.asked = Promise.resolve(page.pictures);
      page.count -= 1;
      this.#pageOf.delete(id);
    }
    let first = 0;
    for (const page of this.#pages) {
      page.first = first;
      first += page.count;
    }
  }

  /**
   * @param {Picture} changed
   * @returns {boolean} whether it is loaded
   */
  replace(changed) {
    const page = this.#pageOf.get(changed.id);
    if (!page?.pictures) return false;
    page.pictures = page.pictures.map((picture) => (picture.id === changed.id ? changed : picture));
    page.asked = Promise.resolve(page.pictures);
    return true;
  }

  /** @param {number} index */
  #pageAt(index) {
    let [low, high] = [0, this.#pages.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#pages[middle].first <= index) low = middle;
      else high = middle - 1;
    }
    const page = this.#pages[low];
    return page && index >= page.first && index < page.first + page.count ? page : null;
  }

  /** @param {Page} page */
  #ask(page) {
    this.#used.delete(page);
    this.#used.add(page);
    if (!page.asked) {
      page.asked = this.#fetch(page).then((pictures) => this.#keep(page, pictures));
      page.asked.catch(() => (page.asked = null));
      for (const oldest of this.#used) {
        if (this.#used.size <= MOST_PAGES) break;
        this.#forget(oldest);
      }
    }
    return page.asked;
  }

  /**
   * @param {Page} page
   * @param {Picture[]} pictures
   */
  #keep(page, pictures) {
    page.pictures = pictures;
    for (const { id } of pictures) this.#pageOf.set(id, page);
    this.#loaded(page);
    return pictures;
  }

  /** @param {Page} page */
  #forget(page) {
    this.#used.delete(page);
    for (const { id } of page.pictures ?? []) this.#pageOf.delete(id);
    page.pictures = null;
    page.asked = null;
  }
}
