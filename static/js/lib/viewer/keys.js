// The commands of keys while the viewer is open. The same list stands in templates/partials/_keys.html.tera for people.

import { isTyping } from "../base/typing.js";

/** @type {Record<string, string>} */
const KEYS = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  PageUp: "before",
  PageDown: "after",
  Home: "first",
  End: "last",
  i: "details",
  f: "fullscreen",
  h: "favourite",
  ".": "favourite",
  "+": "closer",
  "=": "closer",
  "-": "farther",
  0: "whole",
  Delete: "remove",
  "Shift+Delete": "removeForGood",
  "Shift+d": "download",
  "?": "keys",
  "Ctrl+z": "undo",
  Escape: "escape",
};

/**
 * Listens on the document, since the focus may be on nothing, and before the page below, which has keys of its own.
 * @param {HTMLDialogElement} dialog
 * @param {Record<string, () => void>} commands
 */
export function listenForKeys(dialog, commands) {
  document.addEventListener(
    "keydown",
    (event) => {
      // A question in a dialog above the viewer gets the keys.
      if (!dialog.open || document.querySelectorAll("dialog:modal").length > 1) return;
      const command = commands[KEYS[nameOf(event)] ?? ""];
      if (!command || (isTyping(event.target) && event.key !== "Escape")) return;
      event.preventDefault();
      event.stopPropagation();
      // Held down, Delete deletes once; arrows repeat.
      if (!(event.repeat && event.key === "Delete")) command();
    },
    { capture: true },
  );
}

/** @param {KeyboardEvent} event */
function nameOf(event) {
  if (event.altKey) return "";
  if (event.ctrlKey || event.metaKey) return `Ctrl+${event.key.toLowerCase()}`;
  const isSign = event.key.length === 1 && event.key.toLowerCase() === event.key.toUpperCase();
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // Whether a sign such as + needs Shift depends on the keyboard.
  return event.shiftKey && !isSign ? `Shift+${key}` : key;
}
