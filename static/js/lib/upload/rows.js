// A virtual list, one row a file, of which only rows in sight exist: ten thousand files are as light as ten.

import { clone, need } from "../base/dom.js";
import { stateOf } from "./words.js";

/** @typedef {import("./ledger.js").Upload} Upload */
/** @typedef {{upload: Upload, at: number, top: number}} Place where a file's row is: its number from 0, its top in rem */
/** @typedef {{cancel: (upload: Upload) => void, retry: (upload: Upload) => void}} Actions */

// As tray.css has them. Reasons are sentences, so a failed file has room for three lines.
const ROW_REM = 3.25;
const FAILED_ROW_REM = 5.25;
const MARGIN_REM = 8;
const LONGEST_LABEL = 80;

export class UploadRows {
  #box;
  #list;
  #actions;
  /** @type {Map<Upload, HTMLElement>} */
  #drawn = new Map();

  /**
   * @param {HTMLElement} box the scroll container; holds the list
   * @param {Actions} actions
   */
  constructor(box, actions) {
    this.#box = box;
    this.#list = need(box, "ul", HTMLUListElement);
    this.#actions = actions;
  }

  /**
   * @param {Upload[]} uploads
   * @param {{halted: boolean, now: number}} moment
   */
  draw(uploads, moment) {
    const { failed, others } = inOrder(uploads);
    const failedRem = failed.length * FAILED_ROW_REM;
    this.#list.style.blockSize = `${failedRem + others.length * ROW_REM}rem`;

    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const from = this.#box.scrollTop / rem - MARGIN_REM;
    const to = (this.#box.scrollTop + this.#box.clientHeight) / rem + MARGIN_REM;
    const places = [
      ...inSight(failed, { from, to, top: 0, height: FAILED_ROW_REM, first: 0 }),
      ...inSight(others, { from, to, top: failedRem, height: ROW_REM, first: failed.length }),
    ];
    this.#arrange(places, (row, place) => {
      row.style.insetBlockStart = `${place.top}rem`;
      row.setAttribute("aria-setsize", String(uploads.length));
      row.setAttribute("aria-posinset", String(place.at + 1));
      drawRow(row, place.upload, stateOf(place.upload, moment));
    });
  }

  /**
   * Draws these rows. Rows that stay keep their element, and with it the focus.
   * @param {Place[]} places
   * @param {(row: HTMLElement, place: Place) => void} fill
   */
  #arrange(places, fill) {
    const focused = this.#list.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
    const wanted = new Set(places.map(({ upload }) => upload));
    for (const [upload, row] of this.#drawn) {
      if (wanted.has(upload)) continue;
      row.remove();
      this.#drawn.delete(upload);
    }
    let next = this.#list.firstElementChild;
    for (const place of places) {
      const row = this.#drawn.get(place.upload) ?? this.#make(place.upload);
      if (row === next) next = row.nextElementSibling;
      else this.#list.insertBefore(row, next);
      fill(row, place);
    }
    if (!focused || document.activeElement === focused) return;
    if (focused.isConnected && !focused.hidden) focused.focus({ preventScroll: true });
    else this.#box.focus({ preventScroll: true });
  }

  /** @param {Upload} upload */
  #make(upload) {
    const row = clone("tray-row");
    const name = upload.file.name;
    need(row, ".tray-row__name", HTMLElement).textContent = name;
    row.title = name.slice(0, 300);
    need(row, "progress", HTMLProgressElement).ariaLabel = name.slice(0, LONGEST_LABEL);
    const button = (/** @type {"cancel" | "retry"} */ action, /** @type {string} */ words) => {
      const element = need(row, `[data-row=${action}]`, HTMLButtonElement);
      element.ariaLabel = `${words} ${name.slice(0, LONGEST_LABEL)}`;
      element.addEventListener("click", () => this.#actions[action](upload));
    };
    button("cancel", "Cancel");
    button("retry", "Retry");
    this.#drawn.set(upload, row);
    return row;
  }
}

/**
 * The uploads that need attention first: failed, under way, waiting, and then those that are settled.
 * @param {Upload[]} uploads
 */
function inOrder(uploads) {
  /** @type {[Upload[], Upload[], Upload[], Upload[]]} */
  const [failed, active, waiting, over] = [[], [], [], []];
  for (const upload of uploads) {
    if (upload.state === "failed") failed.push(upload);
    else if (upload.settled) over.push(upload);
    else if (upload.state === "sending" || upload.state === "processing" || upload.retryAt) active.push(upload);
    else waiting.push(upload);
  }
  return { failed, others: active.concat(waiting, over) };
}

/**
 * @param {Upload[]} uploads
 * @param {{from: number, to: number, top: number, height: number, first: number}} where
 * @returns {Place[]}
 */
function inSight(uploads, { from, to, top, height, first }) {
  const start = Math.max(0, Math.floor((from - top) / height));
  const end = Math.max(start, Math.ceil((to - top) / height));
  return uploads.slice(start, end).map((upload, i) => ({ upload, at: first + start + i, top: top + (start + i) * height }));
}

/**
 * @param {HTMLElement} row
 * @param {Upload} upload
 * @param {string} words
 */
function drawRow(row, upload, words) {
  row.dataset.state = upload.state;
  const bar = need(row, "progress", HTMLProgressElement);
  bar.hidden = upload.state !== "sending";
  bar.value = upload.file.size ? upload.sentBytes / upload.file.size : 0;
  need(row, "[data-row=cancel]", HTMLElement).hidden = upload.settled;
  need(row, "[data-row=retry]", HTMLElement).hidden = upload.state !== "failed" && upload.state !== "cancelled";
  const state = need(row, ".tray-row__state", HTMLElement);
  if (state.textContent !== words) state.textContent = words;
}
