// The window in the corner that tells how a batch goes. Draws a few times a second, however much happens.

import { clone, need } from "./dom.js";

/** @typedef {import("./upload-batch.js").Upload} Upload */
/** @typedef {import("./upload-batch.js").UploadBatch} UploadBatch */

// Drawing with every frame would leave no time for sending thousands of small files.
const DRAW_EVERY_MS = 120;
const SPEAK_EVERY_MS = 5000;
// Counts each file as this much besides its bytes, so that a thousand small ones move the bar as well.
const WEIGHT_OF_A_FILE = 65_536;

export class UploadTray {
  #batch;
  #root = clone("tray");
  #title = need(this.#root, "[data-tray=title]", HTMLElement);
  #progress = need(this.#root, "[data-tray=progress]", HTMLProgressElement);
  #failedRows = need(this.#root, "[data-tray=failed]", HTMLElement);
  #rows = need(this.#root, "[data-tray=rows]", HTMLElement);
  #retry = need(this.#root, "[data-tray=retry]", HTMLButtonElement);
  #close = need(this.#root, "[data-tray=close]", HTMLButtonElement);
  #status = need(this.#root, "[data-tray=status]", HTMLElement);
  #halt = need(this.#root, "[data-tray=halt]", HTMLElement);
  /** @type {Map<Upload, HTMLElement>} */
  #rowOf = new Map();
  /** @type {Set<Upload>} */
  #changed = new Set();
  #spokenAt = 0;
  #scheduled = false;

  /** @param {UploadBatch} batch */
  constructor(batch) {
    this.#batch = batch;
    need(this.#root, "details", HTMLDetailsElement).open = matchMedia("(min-width: 48rem)").matches;
    this.#retry.addEventListener("click", () => batch.retryFailed());
    this.#close.addEventListener("click", () => this.#root.remove());
  }

  /** @param {Upload[]} uploads */
  add(uploads) {
    if (!this.#root.isConnected) document.body.append(this.#root);
    const fragment = document.createDocumentFragment();
    for (const upload of uploads) {
      const row = clone("tray-row");
      need(row, ".tray-row__name", HTMLElement).textContent = upload.file.name;
      this.#rowOf.set(upload, row);
      fragment.append(row);
      this.#changed.add(upload);
    }
    this.#rows.append(fragment);
    this.#schedule();
  }

  /** @param {Upload} upload */
  changed(upload) {
    this.#changed.add(upload);
    this.#schedule();
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => this.#draw(), DRAW_EVERY_MS);
  }

  #draw() {
    this.#scheduled = false;
    for (const upload of this.#changed) this.#drawRow(upload);
    this.#changed.clear();
    const { uploads, counts, busy, settled, halted } = this.#batch;
    const weight = this.#batch.totalBytes + uploads.length * WEIGHT_OF_A_FILE;
    this.#progress.value = busy ? (this.#batch.sentBytes + settled * WEIGHT_OF_A_FILE) / weight : 1;
    this.#title.textContent = busy ? `Adding ${(settled + 1).toLocaleString("en")} of ${uploads.length.toLocaleString("en")}` : this.#summary();
    this.#retry.hidden = counts.failed === 0 || halted !== "";
    this.#retry.textContent = `Retry ${counts.failed.toLocaleString("en")} failed`;
    this.#close.hidden = busy;
    this.#halt.hidden = halted === "";
    need(this.#halt, "p", HTMLElement).textContent = halted && `${halted} The rest was not sent.`;
    this.#speak();
  }

  /** @param {Upload} upload */
  #drawRow(upload) {
    const row = this.#rowOf.get(upload);
    if (!row) return;
    if (row.dataset.state !== upload.state) {
      row.dataset.state = upload.state;
      if (upload.state === "failed") this.#failedRows.append(row);
      else if (upload.state === "sending") this.#rows.prepend(row);
      else if (row.parentElement === this.#failedRows) this.#rows.append(row);
    }
    const bar = need(row, "progress", HTMLProgressElement);
    bar.hidden = upload.state !== "sending";
    bar.value = upload.file.size ? upload.sentBytes / upload.file.size : 0;
    bar.setAttribute("aria-label", upload.file.name);
    need(row, ".tray-row__state", HTMLElement).textContent = wordsFor(upload);
  }

  #summary() {
    const { done, duplicate, failed } = this.#batch.counts;
    const parts = [];
    if (done || !(duplicate || failed)) parts.push(`${done.toLocaleString("en")} added`);
    if (duplicate) parts.push(`${duplicate.toLocaleString("en")} already here`);
    if (failed) parts.push(`${failed.toLocaleString("en")} not added`);
    return parts.join(", ");
  }

  /** Tells a screen reader now and then, and always the end. */
  #speak() {
    const { busy, uploads, settled } = this.#batch;
    if (busy && Date.now() - this.#spokenAt < SPEAK_EVERY_MS) return;
    this.#spokenAt = Date.now();
    const words = busy ? `${settled} of ${uploads.length} uploaded` : this.#summary();
    if (this.#status.textContent !== words) this.#status.textContent = words;
  }
}

/** @param {Upload} upload */
function wordsFor(upload) {
  switch (upload.state) {
    case "waiting":
      return upload.reason || "Waiting";
    case "sending":
      return `${Math.floor((100 * upload.sentBytes) / Math.max(1, upload.file.size))}%`;
    case "processing":
      return "Processing";
    case "done":
      return "Added";
    case "duplicate":
      return "Already here";
    case "failed":
      return upload.reason;
  }
}
