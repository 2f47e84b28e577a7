// Digest first, then bytes: hashes the files of a batch ahead of the uploads, one at a time, and asks in groups which
// of them the vault holds already.

import { call } from "../base/api.js";
import { canDigest, digestOf } from "./digests.js";
import { Refusal } from "../base/refusal.js";
import { MOST_TRIES, backOff, pause, worthAnotherTry } from "../base/retry.js";

/** @typedef {import("./ledger.js").Upload} Upload */
/** @typedef {import("./ledger.js").UploadLedger} UploadLedger */

/**
 * @typedef {object} Outcome The callbacks that the check reports to.
 * @property {(upload: Upload) => void} toSend the vault does not hold the file, as far as is known
 * @property {() => void} signedOut nothing can be asked until somebody signs in
 * @property {() => boolean} isHalted
 */

export const UNREADABLE = "The file cannot be read. It may have been moved or deleted.";

// The first group is small so that sending starts at once; later ones grow, so that ten thousand known files need a
// few calls and not ten thousand. The server accepts 1,000 sums in one.
const FIRST_GROUP = 3;
const LARGEST_GROUP = 500;
const LONGEST_GROUP_MS = 1500;

export class UploadCheck {
  #ledger;
  #outcome;
  /** @type {Upload[]} */
  #queue = [];
  #groupSize = FIRST_GROUP;
  #running = false;

  /**
   * @param {UploadLedger} ledger
   * @param {Outcome} outcome
   */
  constructor(ledger, outcome) {
    this.#ledger = ledger;
    this.#outcome = outcome;
  }

  /** @param {Upload[]} uploads */
  add(uploads) {
    for (const upload of uploads) this.#queue.push(upload);
    if (!this.#running) this.#groupSize = FIRST_GROUP;
    void this.run();
  }

  /** Works through the queue, unless that is under way already. */
  async run() {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#queue.length > 0 && !this.#outcome.isHalted()) {
        const group = await this.#digestGroup();
        if (group.size > 0 && !(await this.#sort(group))) return;
        this.#groupSize = Math.min(2 * this.#groupSize, LARGEST_GROUP);
      }
    } finally {
      this.#running = false;
    }
  }

  /** @returns {Promise<Map<Upload, string>>} digests of the next few files */
  async #digestGroup() {
    /** @type {Map<Upload, string>} */
    const group = new Map();
    const until = performance.now() + LONGEST_GROUP_MS;
    while (group.size < this.#groupSize && (group.size === 0 || performance.now() < until)) {
      const upload = this.#queue.shift();
      if (!upload) break;
      if (upload.state !== "waiting") continue;
      if (!canDigest(upload.file)) {
        this.#outcome.toSend(upload);
        continue;
      }
      this.#ledger.move(upload, "checking");
      try {
        group.set(upload, await digestOf(upload.file));
      } catch {
        if (isChecked(upload)) this.#ledger.move(upload, "failed", { reason: UNREADABLE });
      }
    }
    return group;
  }

  /**
   * @param {Map<Upload, string>} group
   * @returns {Promise<boolean>} whether to go on
   */
  async #sort(group) {
    /** @type {Record<string, string>} */
    let known = {};
    try {
      if (this.#outcome.isHalted()) throw new Refusal(401, "");
      known = await this.#ask([...group.values()]);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.status === 401) {
        for (const upload of group.keys()) if (isChecked(upload)) this.#ledger.move(upload, "waiting");
        this.#queue.unshift(...group.keys());
        this.#outcome.signedOut();
        return false;
      }
      // After any other failure sending is right, since the vault compares once more.
    }
    for (const [upload, digest] of group) {
      if (!isChecked(upload)) continue;
      if (known[digest]) this.#ledger.move(upload, "duplicate");
      else {
        this.#ledger.move(upload, "waiting");
        this.#outcome.toSend(upload);
      }
    }
    return true;
  }

  /**
   * @param {string[]} sha256
   * @returns {Promise<Record<string, string>>} ids of the pictures that the vault holds
   */
  async #ask(sha256) {
    for (let tries = 1; ; tries += 1) {
      try {
        const { known } = await call("POST", "/api/v1/images/known", { sha256 });
        const ids = [...new Set(Object.values(known))];
        // People who add a picture want to see it: one in the trash is restored, as it would be if its bytes were sent.
        if (ids.length > 0) await call("POST", "/api/v1/images/restore", { ids });
        return known;
      } catch (error) {
        if (!(error instanceof Refusal) || !worthAnotherTry(error.status) || tries === MOST_TRIES) throw error;
        await pause(backOff(tries - 1));
      }
    }
  }
}

/**
 * Whether the upload still waits for the check: it may have been cancelled in the meantime.
 * @param {Upload} upload
 */
function isChecked(upload) {
  return upload.state === "checking";
}
