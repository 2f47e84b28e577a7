// Shows pictures that have just come in, at the front of the page and inside the form, so that they can be ticked at once.

import { clone, need, pictures } from "./dom.js";

/** @typedef {import("./send-file.js").Image} Image */

// Each insertion moves every tile after it: with thousands of small files, one for each would cost more than sending them.
const GATHER_MS = 400;

export class Arrivals {
  #section = need(document, "[data-arrivals]", HTMLElement);
  #list = need(this.#section, "ul", HTMLUListElement);
  /** @type {Image[]} */
  #gathered = [];

  /** @param {Image} image */
  add(image) {
    this.#gathered.push(image);
    if (this.#gathered.length === 1) setTimeout(() => this.#show(), GATHER_MS);
  }

  #show() {
    const images = this.#gathered.splice(0);
    this.#list.prepend(...images.reverse().map(tileOf));
    this.#section.hidden = false;
    document.querySelector("[data-empty]")?.remove();
    countMore(images.length);
    this.#section.dispatchEvent(new Event("tiles-changed", { bubbles: true }));
  }
}

/** @param {Image} image */
function tileOf(image) {
  const tile = clone("fresh");
  need(tile, "a", HTMLAnchorElement).href = `/vault/images/${image.id}`;
  need(tile, "img", HTMLImageElement).src = `/api/v1/images/${image.id}/thumbnail`;
  need(tile, ".fresh__name", HTMLElement).textContent = image.name;
  need(tile, ".pick span", HTMLElement).textContent = `Select ${image.name}`;
  need(tile, "input", HTMLInputElement).value = image.id;
  return tile;
}

/**
 * A search's count stays: whether the new pictures match is the server's business.
 * @param {number} added
 */
function countMore(added) {
  const shown = document.querySelector("[data-count]:not([data-fixed])");
  if (!(shown instanceof HTMLElement)) return;
  const total = Number(shown.dataset.count) + added;
  shown.dataset.count = String(total);
  shown.textContent = pictures(total);
  const collection = need(document, "[data-total]", HTMLElement);
  collection.dataset.total = String(total);
  need(collection, "[data-select=all-label]", HTMLElement).textContent = `All ${pictures(total)}`;
}
