// The list of all keys, over the page or over the viewer. The words stand in templates/partials/_keys.html.tera.

import { need } from "./dom.js";

/** @type {HTMLDialogElement | null} */
let dialog = null;

/** Shows the list. */
export function showKeys() {
  dialog ??= prepared();
  if (!dialog.open) dialog.showModal();
}

function prepared() {
  const list = need(document, "[data-keys=dialog]", HTMLDialogElement);
  list.addEventListener("click", ({ target, clientX, clientY }) => {
    if (target === list && !holds(list.getBoundingClientRect(), clientX, clientY)) list.close();
  });
  list.addEventListener("keydown", (event) => {
    if (event.key === "?") list.close();
  });
  return list;
}

/**
 * A click beside the dialog, on its backdrop, has the dialog as its target too.
 * @param {DOMRect} box
 * @param {number} x
 * @param {number} y
 */
function holds(box, x, y) {
  return x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
}
