// Toasts: short words at the edge of the page that say what was done, with "Undo".

import { announce } from "./announce.js";
import { clone, need } from "./dom.js";

// Long enough to read, think, and reach for the button (WCAG 2.2.1 wants no less than 20 s or a way to hold it: it waits
// while the pointer or the keyboard is on it, and Ctrl+Z works as well).
const SHOWN_MS = 12_000;
const MOST = 3;

/** @type {HTMLElement | null} */
let shelf = null;

/**
 * @param {string} words
 * @returns {HTMLElement} in the page for as long as it is shown
 * @param {{action?: {label: string, run: () => unknown, undoes?: boolean}, kind?: "error"}} [options]
 */
export function toast(words, { action, kind } = {}) {
  const box = clone("toast");
  need(box, ".toast__words", HTMLElement).textContent = words;
  if (kind) box.dataset.kind = kind;
  const button = need(box, ".toast__action", HTMLButtonElement);
  const close = need(box, ".toast__close", HTMLButtonElement);
  button.hidden = !action;
  button.textContent = action?.label ?? "";
  button.toggleAttribute("data-undoes", action?.undoes === true);
  button.addEventListener("click", () => {
    leave();
    action?.run();
  });
  close.addEventListener("click", () => leave());

  let timer = 0;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => leave(), SHOWN_MS);
  };
  const hold = () => clearTimeout(timer);
  const leave = () => {
    hold();
    box.remove();
  };
  for (const event of ["pointerenter", "focusin"]) box.addEventListener(event, hold);
  for (const event of ["pointerleave", "focusout"]) box.addEventListener(event, wait);
  place().append(box);
  // A toast with an action is shown for its whole time.
  const idle = [...place().children].filter((other) => other.querySelector(".toast__action[hidden]"));
  for (const old of idle.slice(0, -MOST)) old.remove();
  wait();
  announce(words);
  return box;
}

/** Undoes the change that the newest toast is about; for Ctrl+Z. */
export function undoNewest() {
  const actions = shelf?.querySelectorAll("[data-undoes]") ?? [];
  const newest = [...actions].at(-1);
  if (newest instanceof HTMLElement) newest.click();
}

// A dialog that closes must not take the toasts with it.
document.addEventListener(
  "close",
  (event) => {
    if (shelf && event.target instanceof Node && event.target.contains(shelf)) document.body.append(shelf);
  },
  true,
);

/** Puts the shelf into the open dialog, if there is one, since nothing outside it can be reached. */
function place() {
  shelf ??= clone("toasts");
  const parent = [...document.querySelectorAll("dialog:modal")].at(-1) ?? document.body;
  if (shelf.parentElement !== parent) parent.append(shelf);
  return shelf;
}
