// Closes a <details> menu on Escape, and when the focus or a click goes elsewhere.

import { need } from "../lib/base/dom.js";

/** @param {HTMLElement} menu */
export function attach(menu) {
  if (!(menu instanceof HTMLDetailsElement)) throw new Error("A menu is a <details>");
  const summary = need(menu, "summary", HTMLElement);
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.preventDefault();
    menu.open = false;
    summary.focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget instanceof Node && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  document.addEventListener("click", (event) => {
    if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
  });
}
