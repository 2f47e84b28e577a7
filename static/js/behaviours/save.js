// Saves the text of the element that data-save points at as a file of the name in data-name.

import { need } from "../lib/base/dom.js";
import { saveList } from "../lib/base/save-list.js";

/** @param {HTMLElement} button */
export function attach(button) {
  const source = need(document, button.dataset.save ?? "", HTMLElement);
  button.hidden = false;
  button.addEventListener("click", () => saveList(button.dataset.name ?? "text.txt", [source.textContent?.trim() ?? ""]));
}
