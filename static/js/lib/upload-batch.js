// What is to be sent, what is on its way, what became of it. Knows no element of the page.

import { isReadable, sendFile } from "./send-file.js";

/** @typedef {import("./send-file.js").Image} Image */
/** @typedef {import("./send-file.js").Answer} Answer */
/** @typedef {"waiting" | "sending" | "processing" | "done" | "duplicate" | "failed"} State */

const AT_ONCE = 3;
const MOST_TRIES = 6;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;

/** One file of the batch. Only the batch changes it. */
export class Upload {
  /** @type {State} */
  state = "waiting";
  sentBytes = 0;
  /** Why it failed, or why it waits. */
  reason = "";
  /** @type {Image | null} */
  image = null;

  /** @param {File} file */
  constructor(file) {
    this.file = file;
  }
}

/** Sends three files at a time; one bad file never stops the others. */
export class UploadBatch {
  /** @type {Upload[]} */
  uploads = [];
  /** @type {Record<State, number>} */
  counts = { waiting: 0, sending: 0, processing: 0, done: 0, duplicate: 0, failed: 0 };
  totalBytes = 0;
  sentBytes = 0;
  /** Why everything stands still (the session is over), or "". */
  halted = "";

  #next = 0;
  #running = 0;
  #csrfToken;
  #onChange;

  /**
   * @param {string} csrfToken
   * @param {(upload: Upload) => void} onChange called after every change of an upload
   */
  constructor(csrfToken, onChange) {
    this.#csrfToken = csrfToken;
    this.#onChange = onChange;
  }

  get busy() {
    return this.counts.waiting + this.counts.sending + this.counts.processing > 0;
  }

  get settled() {
    return this.counts.done + this.counts.duplicate + this.counts.failed;
  }

  /**
   * @param {File[]} files
   * @returns {Upload[]} the new ones
   */
  add(files) {
    const added = files.map((file) => new Upload(file));
    this.uploads.push(...added);
    this.counts.waiting += added.length;
    for (const upload of added) this.totalBytes += upload.file.size;
    return added;
  }

  start() {
    while (!this.halted && this.#running < AT_ONCE) {
      const upload = this.#takeNext();
      if (!upload) return;
      this.#running += 1;
      void this.#see(upload).finally(() => {
        this.#running -= 1;
        this.start();
      });
    }
  }

  retryFailed() {
    this.halted = "";
    this.#next = 0;
    for (const upload of this.uploads) if (upload.state === "failed") this.#move(upload, "waiting");
    this.start();
  }

  /** The next one that no slot has taken; those that wait for another try keep the slot they have. */
  #takeNext() {
    while (this.#next < this.uploads.length) {
      const upload = this.uploads[this.#next++];
      if (upload.state === "waiting" && upload.reason === "") return upload;
    }
    return null;
  }

  /** @param {Upload} upload */
  async #see(upload) {
    for (let attempt = 1; ; attempt += 1) {
      this.#move(upload, "sending");
      const answer = await sendFile(upload.file, this.#csrfToken, (sent) => this.#progress(upload, sent));
      if (answer.image) {
        upload.image = answer.image;
        return this.#move(upload, answer.image.duplicate ? "duplicate" : "done");
      }
      if (answer.status === 401 || answer.status === 403) return this.#halt(upload, answer);
      if (answer.status === 0 && !(await isReadable(upload.file))) {
        return this.#move(upload, "failed", "The file cannot be read. It may have been moved or deleted.");
      }
      if (this.halted) return this.#move(upload, "failed", this.halted);
      if (!worthAnotherTry(answer.status) || attempt === MOST_TRIES) return this.#move(upload, "failed", reasonOf(answer));
      const waitMs = answer.retryAfterMs ?? backOff(attempt);
      this.#move(upload, "waiting", `Trying again in ${Math.max(1, Math.round(waitMs / 1000))} s`);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (this.halted) return this.#move(upload, "failed", this.halted);
    }
  }

  /**
   * Nothing else could succeed, so nothing else is sent.
   * @param {Upload} last
   * @param {Answer} answer
   */
  #halt(last, answer) {
    this.halted = answer.status === 401 ? "You are signed out." : answer.detail || "The server no longer accepts this page.";
    this.#move(last, "failed", this.halted);
    for (const upload of this.uploads) {
      if (upload.state === "waiting" && upload.reason === "") this.#move(upload, "failed", this.halted);
    }
  }

  /**
   * @param {Upload} upload
   * @param {number} sent
   */
  #progress(upload, sent) {
    const bytes = Math.min(sent, upload.file.size);
    this.sentBytes += bytes - upload.sentBytes;
    upload.sentBytes = bytes;
    if (bytes === upload.file.size) this.#move(upload, "processing");
    else this.#onChange(upload);
  }

  /**
   * @param {Upload} upload
   * @param {State} state
   * @param {string} reason
   */
  #move(upload, state, reason = "") {
    this.counts[upload.state] -= 1;
    this.counts[state] += 1;
    upload.state = state;
    upload.reason = reason;
    const bytes = state === "waiting" || state === "sending" ? 0 : upload.file.size;
    this.sentBytes += bytes - upload.sentBytes;
    upload.sentBytes = bytes;
    this.#onChange(upload);
  }
}

/** @param {number} status */
function worthAnotherTry(status) {
  return [0, 429, 502, 503, 504].includes(status);
}

/**
 * Doubles, and spreads by a quarter so that many clients do not come back together.
 * @param {number} attempt
 */
function backOff(attempt) {
  return Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS) * (0.75 + Math.random() / 2);
}

/** @param {Answer} answer */
function reasonOf(answer) {
  if (answer.detail) return answer.detail;
  if (answer.status === 0) return "The server cannot be reached.";
  if (answer.status === 413) return "The file is too large.";
  return `The server answered ${answer.status}.`;
}
