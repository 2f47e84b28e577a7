// The tray in the corner that shows a batch. Draws a few times a second, however much happens (throttled).

import { announce } from "../base/announce.js";
import { clone, need } from "../base/dom.js";
import { pathOf } from "./dropped-files.js";
import { restoreTitle, showInTitle } from "../base/page-title.js";
import { saveList } from "../base/save-list.js";
import { UploadPace } from "./pace.js";
import { UploadRows } from "./rows.js";
import { spoken, summary, timeLeft } from "./words.js";
import { bytes, number } from "../base/words.js";

/** @typedef {import("./batch.js").UploadBatch} UploadBatch */

// Drawing with every frame would leave no time for sending thousands of small files.
const DRAW_EVERY_MS = 120;
const TICK_MS = 1000;
const SPEAK_EVERY_MS = 5000;

export class UploadTray {
  #batch;
  #root = clone("tray");
  #toggle = this.#button("toggle");
  #title = need(this.#root, "[data-tray=title]", HTMLElement);
  #facts = need(this.#root, "[data-tray=facts]", HTMLElement);
  #progress = need(this.#root, "[data-tray=progress]", HTMLProgressElement);
  #panel = need(this.#root, "[data-tray=panel]", HTMLElement);
  #halt = need(this.#root, "[data-tray=halt]", HTMLElement);
  #box = need(this.#root, "[data-tray=files]", HTMLElement);
  #buttons = { retry: this.#button("retry"), save: this.#button("save"), cancel: this.#button("cancel"), close: this.#button("close") };
  #rows;
  #pace = new UploadPace();
  #spokenAt = 0;
  #spokenWords = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #nextDraw = Infinity;

  /** @param {UploadBatch} batch */
  constructor(batch) {
    this.#batch = batch;
    this.#rows = new UploadRows(this.#box, { cancel: (upload) => batch.cancel(upload), retry: (upload) => batch.retry(upload) });
    this.#toggle.addEventListener("click", () => this.#open(this.#panel.hidden));
    this.#box.addEventListener("scroll", () => this.#draw(), { passive: true });
    this.#buttons.retry.addEventListener("click", () => batch.retryFailed());
    this.#buttons.cancel.addEventListener("click", () => batch.cancelAll());
    this.#buttons.close.addEventListener("click", () => this.#close());
    this.#buttons.save.addEventListener("click", () => this.#save());
    this.#button("sign-in").addEventListener("click", () => void batch.resume());
  }

  /** To be called after a change: it is shown soon. */
  changed() {
    if (!this.#root.isConnected) {
      this.#pace.reset();
      // On a phone the tray begins closed, as a pill.
      this.#open(matchMedia("(min-width: 48rem)").matches);
      document.body.append(this.#root);
      this.#spokenAt = Date.now();
    }
    this.#schedule(DRAW_EVERY_MS);
  }

  /** @param {number} inMs */
  #schedule(inMs) {
    const due = performance.now() + inMs;
    if (due >= this.#nextDraw) return;
    clearTimeout(this.#timer);
    this.#nextDraw = due;
    this.#timer = setTimeout(() => this.#draw(), inMs);
  }

  #draw() {
    clearTimeout(this.#timer);
    this.#nextDraw = Infinity;
    if (!this.#root.isConnected) return;
    const { ledger, halted } = this.#batch;
    const share = UploadPace.share(ledger);
    const state = halted ? "halted" : ledger.busy ? "busy" : ledger.counts.failed ? "failed" : "done";
    if (state === "halted" && this.#root.dataset.state !== "halted") this.#open(true);
    this.#root.dataset.state = state;
    this.#progress.value = share;
    this.#title.textContent = this.#heading();
    this.#facts.textContent = this.#factsNow();
    this.#halt.hidden = !halted;
    // Written only when it has changed, since an alert is read aloud whenever it is written.
    const reason = need(this.#halt, "p", HTMLElement);
    const words = halted && `${halted} ${number(ledger.uploads.length - ledger.settled)} not sent yet.`;
    if (reason.textContent !== words) reason.textContent = words;
    this.#drawButtons();
    if (!this.#panel.hidden) this.#rows.draw(ledger.uploads, { halted: halted !== "", now: Date.now() });
    if (ledger.busy) showInTitle(share);
    else restoreTitle();
    this.#speak();
    if (ledger.busy) this.#schedule(TICK_MS);
  }

  #drawButtons() {
    const { ledger, halted } = this.#batch;
    const { retry, save, cancel, close } = this.#buttons;
    const focused = document.activeElement;
    retry.hidden = ledger.counts.failed === 0 || halted !== "";
    save.hidden = ledger.counts.failed === 0;
    cancel.hidden = !ledger.busy;
    close.hidden = ledger.busy;
    if (focused instanceof HTMLButtonElement && focused.hidden && this.#root.contains(focused)) this.#toggle.focus();
  }

  #heading() {
    const { ledger, halted } = this.#batch;
    if (halted) return "Paused";
    if (!ledger.busy) return summary(ledger);
    return `Adding ${number(Math.min(ledger.settled + 1, ledger.uploads.length))} of ${number(ledger.uploads.length)}`;
  }

  #factsNow() {
    const { ledger, halted } = this.#batch;
    if (!ledger.busy) {
      this.#pace.reset();
      return "";
    }
    const pace = halted ? null : this.#pace.measure(ledger, performance.now());
    const parts = [`${Math.floor(100 * UploadPace.share(ledger))}%`];
    const pill = this.#panel.hidden;
    if (!pill) parts.push(`${bytes(ledger.doneBytes)} of ${bytes(ledger.totalBytes)}`);
    if (!pill && pace && pace.bytesPerSecond > 0) parts.push(`${bytes(pace.bytesPerSecond)}/s`);
    if (pace) parts.push(timeLeft(pace.secondsLeft));
    return parts.join(" · ");
  }

  /** Tells a screen reader now and then, and always the end. */
  #speak() {
    const { ledger, halted } = this.#batch;
    if (halted || (ledger.busy && Date.now() - this.#spokenAt < SPEAK_EVERY_MS)) return;
    const words = ledger.busy ? spoken(ledger) : summary(ledger);
    if (words === this.#spokenWords) return;
    this.#spokenAt = Date.now();
    this.#spokenWords = words;
    announce(words);
  }

  /** @param {boolean} open */
  #open(open) {
    this.#panel.hidden = !open;
    this.#toggle.setAttribute("aria-expanded", String(open));
    this.#root.classList.toggle("tray--pill", !open);
    this.#schedule(0);
  }

  #close() {
    this.#root.remove();
    this.#batch.ledger.clear();
    this.#spokenWords = "";
    // The focus was on a button that has been removed.
    document.getElementById("main")?.focus({ preventScroll: true });
  }

  #save() {
    const failed = this.#batch.ledger.uploads.filter((upload) => upload.state === "failed");
    // One line a file, even if its name has line breaks.
    const line = (/** @type {string} */ text) => text.replace(/\p{Cc}+/gu, " ");
    saveList("not-added.txt", failed.map((upload) => `${line(pathOf(upload.file))}\t${line(upload.reason)}`));
  }

  /** @param {string} name */
  #button(name) {
    return need(this.#root, `[data-tray=${name}]`, HTMLButtonElement);
  }
}
