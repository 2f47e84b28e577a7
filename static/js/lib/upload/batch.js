// Sends the files of a batch, three at a time, with retries; one bad file never stops the others. Knows no element of the page.

import { csrfToken } from "../base/csrf.js";
import { isUnreadable } from "./dropped-files.js";
import { unreachable } from "../base/refusal.js";
import { MOST_TRIES, MOST_WAITS, backOff, pause, worthAnotherTry } from "../base/retry.js";
import { isReadable, sendFile } from "./send-file.js";
import { signInAgain } from "../base/sign-in-again.js";
import { UNREADABLE, UploadCheck } from "./check.js";
import { UploadLedger } from "./ledger.js";

/** @typedef {import("./send-file.js").Answer} Answer */
/** @typedef {import("./ledger.js").Upload} Upload */

const AT_ONCE = 3;

export class UploadBatch {
  /** Why the whole batch is halted, or "". */
  halted = "";
  ledger;
  #check;
  /** @type {Upload[]} */
  #ready = [];
  #running = 0;
  /** How many final answers the server has given: while it answers others, a failure is the file's own. */
  #answers = 0;
  /** @type {Map<Upload, AbortController>} */
  #calls = new Map();
  #onChange;

  /** @param {(upload?: Upload) => void} onChange called after every change, of one upload or of the whole */
  constructor(onChange) {
    this.#onChange = onChange;
    this.ledger = new UploadLedger(onChange);
    this.#check = new UploadCheck(this.ledger, {
      toSend: (upload) => this.#enqueue(upload),
      signedOut: () => this.#halt("You are signed out."),
      isHalted: () => this.halted !== "",
    });
  }

  /** @param {File[]} files */
  add(files) {
    this.#check.add(this.ledger.add(files));
    this.#onChange();
  }

  /** Goes on after the batch was halted because nobody was signed in. */
  async resume() {
    if (!(await signInAgain(true))) return;
    this.halted = "";
    this.#onChange();
    void this.#check.run();
    this.#start();
  }

  /** @param {Upload} upload */
  retry(upload) {
    if (upload.state !== "failed" && upload.state !== "cancelled") return;
    this.ledger.move(upload, "waiting");
    this.#enqueue(upload);
  }

  retryFailed() {
    for (const upload of this.ledger.uploads) if (upload.state === "failed") this.retry(upload);
  }

  /** @param {Upload} upload */
  cancel(upload) {
    if (upload.settled) return;
    this.ledger.move(upload, "cancelled");
    this.#calls.get(upload)?.abort();
  }

  cancelAll() {
    for (const upload of this.ledger.uploads) this.cancel(upload);
    this.halted = "";
    this.#onChange();
  }

  /** @param {Upload} upload */
  #enqueue(upload) {
    if (isUnreadable(upload.file)) return this.ledger.move(upload, "failed", { reason: UNREADABLE });
    this.#ready.push(upload);
    this.#start();
  }

  #start() {
    while (!this.halted && this.#running < AT_ONCE) {
      const upload = this.#ready.shift();
      if (!upload) return;
      // Cancelled while it waited, or cancelled and retried: then it is in the queue twice.
      if (upload.state !== "waiting") continue;
      this.#running += 1;
      const call = new AbortController();
      this.#calls.set(upload, call);
      void this.#see(upload, call.signal).finally(() => {
        if (this.#calls.get(upload) === call) this.#calls.delete(upload);
        this.#running -= 1;
        this.#start();
      });
    }
  }

  /**
   * Sends one file, with its retries. Where it is cancelled, `cancel` has recorded that already.
   * @param {Upload} upload
   * @param {AbortSignal} signal
   */
  async #see(upload, signal) {
    let tries = 0;
    for (let waits = 0; ; waits += 1) {
      this.ledger.move(upload, "sending");
      const [token, answersBefore] = [csrfToken(), this.#answers];
      const answer = await sendFile(upload.file, token, signal, (sent) => this.ledger.progress(upload, sent));
      if (signal.aborted) return;
      if (!worthAnotherTry(answer.status)) this.#answers += 1;
      if (answer.image) return this.#settle(upload, answer.image);
      if (answer.status === 401 || answer.status === 403) {
        this.ledger.move(upload, "waiting");
        const goOn = await this.#mayGoOn(answer, token);
        if (signal.aborted) return;
        if (goOn) continue;
        return this.#stop(upload, answer.status === 401 ? "You are signed out." : reasonOf(answer));
      }
      if (answer.status === 0 && !(await isReadable(upload.file))) return this.#fail(upload, UNREADABLE, signal);
      if (!worthAnotherTry(answer.status)) return this.#fail(upload, reasonOf(answer), signal);
      if (this.#answers > answersBefore) tries += 1;
      if (tries === MOST_TRIES || waits === MOST_WAITS) return this.#fail(upload, reasonOf(answer), signal);
      const waitMs = Math.max(answer.retryAfterMs ?? 0, backOff(waits));
      this.ledger.move(upload, "waiting", { retryAt: Date.now() + waitMs });
      await pause(waitMs, signal);
      if (signal.aborted) return;
      if (this.halted) return this.#stop(upload, this.halted);
    }
  }

  /**
   * @param {Upload} upload
   * @param {import("../base/api.js").Picture} image
   */
  #settle(upload, image) {
    upload.image = image;
    this.ledger.move(upload, image.duplicate ? "duplicate" : "done");
  }

  /**
   * @param {Upload} upload
   * @param {string} reason
   * @param {AbortSignal} signal
   */
  #fail(upload, reason, signal) {
    if (!signal.aborted) this.ledger.move(upload, "failed", { reason });
  }

  /**
   * Whether to try again, after the session has ended or another one than this page's has begun.
   * @param {Answer} answer
   * @param {string} token the CSRF token that was sent
   */
  async #mayGoOn(answer, token) {
    if (token !== csrfToken()) return true;
    // A person who has refused to sign in is not asked again by the next file.
    if (this.halted || !(await signInAgain())) return false;
    // Refused although the CSRF token is current: then there is another reason, and retrying is no use.
    return answer.status === 401 || token !== csrfToken();
  }

  /**
   * Halts the batch, since no other file could succeed either.
   * @param {Upload} upload the next to be sent, once things go on
   * @param {string} reason
   */
  #stop(upload, reason) {
    this.ledger.move(upload, "waiting");
    this.#ready.unshift(upload);
    this.#halt(reason);
  }

  /** @param {string} reason */
  #halt(reason) {
    this.halted = reason;
    this.#onChange();
  }
}

/** @param {Answer} answer */
function reasonOf(answer) {
  if (answer.detail) return answer.detail;
  if (answer.status === 0) return unreachable().detail;
  if (answer.status === 413) return "The file is too large.";
  return `The server answered ${answer.status}.`;
}
