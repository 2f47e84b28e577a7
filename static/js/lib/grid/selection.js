// Which pictures are selected: some by id, or all that match but for some. Knows no element of the page.

/** @typedef {import("./picture-list.js").PictureList} PictureList */
/** @typedef {import("../base/api.js").Picture} Picture */

// Most ids that the server accepts in one call.
const MOST_IDS = 10_000;

/** Dispatches "change" after every change. */
export class Selection extends EventTarget {
  /** Bytes by id: of the selected pictures or, where all are selected, of the exceptions. @type {Map<string, number>} */
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

  /** Whether all that match are selected, also pictures that are not loaded. */
  get isAll() {
    return this.#all;
  }

  /** The selected ids; empty where all that match are selected. */
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

  /** Selects all pictures of the list, however many there are. */
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

  /** The body for the API: "all" is sent as a query, with the number that people were shown. */
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
