// The bar of a selection: its size, the actions on it, and the offer to select everything.

import { announce } from "../base/announce.js";
import { need } from "../base/dom.js";
import { bytes, number, pictures } from "../base/words.js";

/** @typedef {import("./picture-list.js").PictureList} PictureList */
/** @typedef {import("./selection.js").Selection} Selection */

export class SelectBar {
  #collection;
  #list;
  #selection;
  #count;
  #rest;
  #spoken = 0;

  /**
   * @param {HTMLElement} collection holds the bar; its buttons' values are the names of actions
   * @param {PictureList} list
   * @param {Selection} selection
   * @param {(action: string) => void} act
   */
  constructor(collection, list, selection, act) {
    this.#collection = collection;
    this.#list = list;
    this.#selection = selection;
    this.#count = need(collection, "[data-select=count]", HTMLElement);
    this.#rest = need(collection, "[data-select=rest]", HTMLButtonElement);
    const none = need(collection, "[data-select=none]", HTMLButtonElement);
    this.#rest.addEventListener("click", () => selection.setAll());
    none.hidden = false;
    none.addEventListener("click", () => act("clear"));
    for (const button of collection.querySelectorAll(".select-bar__actions button[name=action]")) {
      if (!(button instanceof HTMLButtonElement)) continue;
      button.addEventListener("click", (event) => {
        event.preventDefault();
        act(button.value);
      });
    }
    selection.addEventListener("change", () => this.#draw());
    list.addEventListener("shape", () => this.#draw());
    this.#draw();
  }

  /** Moves the focus to the bar, which has just appeared. */
  focus() {
    need(this.#collection, "[data-select=none]", HTMLButtonElement).focus();
  }

  #draw() {
    const { count, isAll } = this.#selection;
    const { total } = this.#list;
    this.#collection.toggleAttribute("data-selecting", count > 0);
    this.#rest.hidden = count === 0 || isAll || count >= total;
    const all = this.#list.query.q || this.#list.query.favourites ? `Select all ${number(total)} matching` : `Select all ${number(total)}`;
    need(this.#rest, ".button__text", HTMLElement).textContent = all;
    this.#rest.title = all;
    const size = bytes(this.#selection.bytes);
    const words = document.createElement("span");
    words.className = "select-bar__words";
    words.textContent = " selected";
    this.#count.replaceChildren(number(count), words, ` · ${size}`);
    const download = this.#collection.querySelector("button[value=download]");
    if (download instanceof HTMLElement) {
      download.title = count > 1 ? `Download a zip of ${pictures(count)}, ${size}` : `Download, ${size}`;
    }
    if (count !== this.#spoken) announce(count > 0 ? `${number(count)} selected` : "Nothing selected");
    this.#spoken = count;
  }
}
