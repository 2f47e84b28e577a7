// The viewer in the browser's history: the address names the picture, Back closes the viewer, Forward opens it again, and
// however the viewer is closed, no entry of it stays. A reload of the address gets the plain page of the picture.

/** @typedef {import("../base/api.js").Picture} Picture */
/** @typedef {{id: string, index: number}} Place */

const LEFT_MS = 1000;

export class Trail {
  /** @type {string | null} the page's own title, while the viewer is open */
  #title = null;
  /** The picture and index that were told last, while the viewer is open. @type {[Picture, number] | null} */
  #told = null;
  /** Resolves our own `history.back()`, until the browser has done it. @type {(() => void) | null} */
  #left = null;

  /** @param {{back: () => void, forth: (place: Place) => void}} hooks */
  constructor({ back, forth }) {
    addEventListener("popstate", (event) => {
      const place = placeOf(event.state);
      if (place) return forth(place);
      if (!this.#left) return back();
      this.#left();
      this.#left = null;
      // Going back took so long that the viewer is open again.
      if (this.#told) this.tell(...this.#told);
    });
  }

  /**
   * Puts the picture that is shown into the address and the title.
   * @param {Picture} picture
   * @param {number} index
   */
  tell(picture, index) {
    this.#told = [picture, index];
    // Without the progress of an upload.
    this.#title ??= document.title.replace(/^\d+% · /, "");
    document.title = `${picture.name} · Image Vault`;
    const state = { viewer: { id: picture.id, index } };
    const url = `/vault/images/${picture.id}`;
    const told = placeOf(history.state);
    if (told) {
      // Browsers allow only so many of these calls.
      if (told.id !== picture.id || told.index !== index) history.replaceState(state, "", url);
      return;
    }
    // On the way back the grid goes to the last picture that was seen, not to where it was left.
    history.scrollRestoration = "manual";
    history.pushState(state, "", url);
  }

  /** The viewer is closed. Resolves once the history is on the page's own entry again. */
  async leave() {
    if (this.#title !== null) document.title = this.#title;
    this.#title = null;
    this.#told = null;
    if (placeOf(history.state)) {
      await new Promise((resolve) => {
        const isUnderWay = this.#left !== null;
        this.#left = () => resolve(null);
        setTimeout(resolve, LEFT_MS);
        // Two calls of back() would leave the page.
        if (!isUnderWay) history.back();
      });
    }
    history.scrollRestoration = "auto";
  }
}

/**
 * @param {any} state
 * @returns {Place | null}
 */
function placeOf(state) {
  return state?.viewer ?? null;
}
