// Which pictures are selected: some, one by one, or all that match but for some. Knows no element of the page.

/** @typedef {import("./picture-list.js").PictureList} PictureList */
/** @typedef {import("./api.js").Picture} Picture */

// What the server takes in one call.
const MOST_IDS = 10_000;

/** Tells of every change by the event "change". */
export class Selection extends EventTarget {
  /** Bytes by id: of what is selected, or of what is left out of everything. @type {Map<string, number>} */
  #named = new Map();
  #all = false;
  #list;

  /** @param {PictureList} list */
  constructor(list) {
    super();
    this.#list = list;
    list.addEventListener("removed", (event) => this.#forget(/** @type {CustomEvent<string[]>} */ (event).detail));
  }

  get count() {
    return this.#all ? this.#list.total - this.#named.size : this.#named.size;
  }

  get bytes() {
    const named = [...this.#named.values()].reduce((sum, size) => sum + size, 0);
    return this.#all ? this.#list.bytes - named : named;
  }

  /** Whether it is everything that matches, also what is not loaded. */
  get isAll() {
    return this.#all;
  }

  /** Ids, where it is made of them. */
  get ids() {
    return this.#all ? [] : [...this.#named.keys()];
  }

  /** @param {string} id */
  has(id) {
    return this.#named.has(id) !== this.#all;
  }

  /**
   * @param {Picture[]} pictures
   * @param {boolean} selected
   * @returns {boolean} whether there was room for them
   */
  set(pictures, selected) {
    const name = selected !== this.#all;
    const more = name ? pictures.filter(({ id }) => !this.#named.has(id)).length : 0;
    if (this.#named.size + more > MOST_IDS) return false;
    for (const { id, size } of pictures) {
      if (name) this.#named.set(id, size);
      else this.#named.delete(id);
    }
    this.#changed();
    return true;
  }

  /** Everything that the list shows, however much it is. */
  setAll() {
    this.#named.clear();
    this.#all = true;
    this.#changed();
  }

  clear() {
    if (this.#named.size === 0 && !this.#all) return;
    this.#named.clear();
    this.#all = false;
    this.#changed();
  }

  /** As the API takes it: everything travels as a query, with the number that people were told. */
  body() {
    if (!this.#all) return { ids: this.ids };
    const { q, favourites, state } = this.#list.query;
    return { query: q, favourite_only: favourites, state, except: [...this.#named.keys()], count: this.count };
  }

  /** @param {string[]} ids of pictures that are gone */
  #forget(ids) {
    const known = ids.filter((id) => this.#named.delete(id));
    if (known.length > 0) this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
