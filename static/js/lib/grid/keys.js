// The keyboard on the grid and on the page around it. `keys-help.js` tells people about the keys.

import { beside, rowOf } from "./justified.js";
import { undoNewest } from "../base/toast.js";
import { isTyping } from "../base/typing.js";

/** @typedef {import("./picture-list.js").PictureList} PictureList */
/** @typedef {import("./control.js").GridControl} GridControl */
/** @typedef {import("./photo-grid.js").PhotoGrid} PhotoGrid */

/**
 * @typedef {object} PageKeys
 * @property {(action: string) => void} act on the selection, or on the focused picture
 * @property {() => void} help
 */

/**
 * @param {HTMLElement} root
 * @param {PictureList} list
 * @param {PhotoGrid} grid
 * @param {GridControl} control
 */
export function attachGridKeys(root, list, grid, control) {
  root.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || grid.indexAt(event.target) < 0) return;
    const target = goal(event.key, list, grid);
    if (target !== null) {
      event.preventDefault();
      if (event.shiftKey) void control.extendFrom(grid.current, target);
      grid.focus(target);
    } else if (event.key === "Enter") {
      event.preventDefault();
      control.open(grid.current);
    } else if (event.key === " " || event.key === "x") {
      event.preventDefault();
      void (event.shiftKey ? control.extendTo(grid.current) : control.toggle(grid.current));
    } else if (event.key === "d") {
      const row = grid.rows[rowOf(grid.rows, grid.current)];
      if (row) void control.toggleSection(row.section);
    }
  });
}

/**
 * The index that a key moves the focus to.
 * @param {string} key
 * @param {PictureList} list
 * @param {PhotoGrid} grid
 * @returns {number | null}
 */
function goal(key, list, grid) {
  const rightwards = getComputedStyle(document.documentElement).direction === "rtl" ? -1 : 1;
  switch (key) {
    case "ArrowRight":
      return grid.current + rightwards;
    case "ArrowLeft":
      return grid.current - rightwards;
    case "ArrowDown":
      return beside(grid.rows, list.ratios, grid.current, 1);
    case "ArrowUp":
      return beside(grid.rows, list.ratios, grid.current, -1);
    case "PageDown":
      return beside(grid.rows, list.ratios, grid.current, grid.rowsInSight);
    case "PageUp":
      return beside(grid.rows, list.ratios, grid.current, -grid.rowsInSight);
    case "Home":
      return 0;
    case "End":
      return list.total - 1;
    default:
      return null;
  }
}

/**
 * Keys that work anywhere on the page, but not while somebody types or a dialog is open.
 * @param {GridControl} control
 * @param {PageKeys} keys
 */
export function attachPageKeys(control, { act, help }) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const key = event.ctrlKey || event.metaKey ? `Ctrl+${event.key.toLowerCase()}` : event.shiftKey && event.key.length > 1 ? `Shift+${event.key}` : event.key;
    /** @type {Record<string, () => unknown>} */
    const meanings = {
      "Ctrl+a": () => control.selectView(),
      "Ctrl+z": undoNewest,
      Escape: () => act("clear"),
      Delete: () => act("delete"),
      "Shift+Delete": () => act("delete-for-good"),
      D: () => act("download"),
      ".": () => act("favourite"),
      "/": () => focusOn(".search__input"),
      u: () => document.getElementById("upload-files")?.click(),
      "?": help,
    };
    const run = meanings[key];
    // A key that is held down deletes once.
    if (!run || event.repeat) return;
    event.preventDefault();
    run();
  });
}

/** @param {string} selector */
function focusOn(selector) {
  const field = document.querySelector(selector);
  if (!(field instanceof HTMLInputElement)) return;
  field.focus();
  field.select();
}
