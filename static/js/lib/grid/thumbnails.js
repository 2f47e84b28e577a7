// The thumbnails' images: cached, so that scrolling back shows them at once, and requested again where they failed.

// The browser must not cache them on disk (`no-store`), so these stay in memory.
const MOST_IMAGES = 600;
const MOST_TRIES = 3;

export class Thumbnails {
  /** Ordered by last use, the most recent last. @type {Map<string, HTMLImageElement>} */
  #images = new Map();
  /** How often each has failed. @type {Map<string, number>} */
  #failures = new Map();
  #failed;

  /** @param {() => void} failed called when an image failed; an <img> does not tell why */
  constructor(failed) {
    this.#failed = failed;
  }

  /** @param {string} id */
  has(id) {
    return this.#images.has(id);
  }

  /**
   * @param {string} id of the picture
   * @returns {HTMLImageElement | null} null where it has failed too often
   */
  at(id) {
    if ((this.#failures.get(id) ?? 0) >= MOST_TRIES) return null;
    const image = this.#images.get(id) ?? this.#ask(id);
    this.#images.delete(id);
    this.#images.set(id, image);
    for (const [oldest, old] of this.#images) {
      if (this.#images.size <= MOST_IMAGES || old.isConnected) break;
      this.#images.delete(oldest);
    }
    return image;
  }

  /** Allows images that failed too often to be requested again. */
  forgive() {
    this.#failures.clear();
  }

  /** @param {string} id */
  #ask(id) {
    const image = new Image();
    image.decoding = "async";
    image.draggable = false;
    image.alt = "";
    const failed = () => {
      this.#images.delete(id);
      image.remove();
      this.#failures.set(id, (this.#failures.get(id) ?? 0) + 1);
      this.#failed();
    };
    image.addEventListener("load", () => this.#failures.delete(id), { once: true });
    image.addEventListener("error", failed, { once: true });
    image.src = `/api/v1/images/${id}/thumbnail`;
    return image;
  }
}
