// Pictures that were just uploaded: announced to the page, and shown large with their names beside the full list.

import { clone, need } from "../base/dom.js";
import { number } from "../base/words.js";

/** @typedef {import("../base/api.js").Picture} Picture */

// Each insertion lays out all that is below it: one for each of thousands of small files would cost more than sending them.
const GATHER_MS = 400;
const MOST_SHOWN = 24;

export class Arrivals {
  /** The place for the section, on pages that have one. */
  #place = document.querySelector("[data-arrivals]");
  /** @type {Picture[]} */
  #gathered = [];
  #scheduled = false;
  #count = 0;

  constructor() {
    document.addEventListener("pictures-removed", (event) => {
      if (event instanceof CustomEvent) this.#forget(event.detail.ids);
    });
  }

  /** @param {Picture} picture */
  add(picture) {
    this.#gathered.push(picture);
    this.refresh();
  }

  /** Also called when a picture came back out of the trash: the list has to be refreshed. */
  refresh() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => this.#tell(), GATHER_MS);
  }

  #tell() {
    this.#scheduled = false;
    const pictures = this.#gathered.splice(0);
    document.dispatchEvent(new CustomEvent("pictures-added", { detail: { pictures } }));
    if (this.#place instanceof HTMLElement && pictures.length > 0) this.#show(this.#place, pictures);
  }

  /**
   * @param {HTMLElement} place
   * @param {Picture[]} pictures the newest last
   */
  #show(place, pictures) {
    if (this.#count === 0) this.#open(place);
    this.#count += pictures.length;
    const list = need(place, "ul", HTMLUListElement);
    list.prepend(...pictures.slice(-MOST_SHOWN).reverse().map(tileOf));
    while (list.childElementCount > MOST_SHOWN) list.lastElementChild?.remove();
    const more = need(place, "[data-arrivals-more]", HTMLElement);
    more.hidden = this.#count <= MOST_SHOWN;
    more.textContent = `and ${number(this.#count - MOST_SHOWN)} more below`;
  }

  /** @param {HTMLElement} place */
  #open(place) {
    place.replaceChildren(document.importNode(need(document, "template[data-template=arrivals]", HTMLTemplateElement).content, true));
    place.hidden = false;
    need(place, "button", HTMLButtonElement).addEventListener("click", () => {
      this.#close(place);
      document.getElementById("main")?.focus({ preventScroll: true });
    });
  }

  /** @param {HTMLElement} place */
  #close(place) {
    this.#count = 0;
    place.hidden = true;
    place.replaceChildren();
  }

  /** @param {string[]} ids of pictures that were deleted */
  #forget(ids) {
    if (!(this.#place instanceof HTMLElement) || this.#count === 0) return;
    for (const id of ids) this.#place.querySelector(`a[href$="/${CSS.escape(id)}"]`)?.closest("li")?.remove();
    if (!this.#place.querySelector("li")) this.#close(this.#place);
  }
}

/** @param {Picture} picture */
function tileOf(picture) {
  const tile = clone("arrival");
  need(tile, "a", HTMLAnchorElement).href = `/vault/images/${picture.id}`;
  need(tile, "img", HTMLImageElement).src = `/api/v1/images/${picture.id}/thumbnail`;
  need(tile, ".fresh__name", HTMLElement).textContent = picture.name;
  return tile;
}
