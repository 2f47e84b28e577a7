// The ledger of a batch: every file, its state, and the sums over all. Knows no network and no element of the page.

/** @typedef {import("../base/api.js").Picture} Picture */
/** @typedef {"waiting" | "checking" | "sending" | "processing" | "done" | "duplicate" | "failed" | "cancelled"} State */

/** @type {ReadonlySet<State>} */
const UNSENT = new Set(["waiting", "checking", "sending"]);
/** @type {ReadonlySet<State>} */
const SETTLED = new Set(["done", "duplicate", "failed", "cancelled"]);

/** One file of the batch. Only the ledger changes it. */
export class Upload {
  /** @type {State} */
  state = "waiting";
  sentBytes = 0;
  /** Why the upload failed. */
  reason = "";
  /** When it is retried (as Date.now() counts), or 0. */
  retryAt = 0;
  /** @type {Picture | null} */
  image = null;

  /** @param {File} file */
  constructor(file) {
    this.file = file;
  }

  get settled() {
    return SETTLED.has(this.state);
  }
}

export class UploadLedger {
  /** @type {Upload[]} */
  uploads = [];
  /** @type {Record<State, number>} */
  counts = noCounts();
  totalBytes = 0;
  /** Bytes of settled files, and the bytes sent of files under way. */
  doneBytes = 0;
  /** Bytes that were transferred, also those of failed tries. */
  transferredBytes = 0;
  #onChange;

  /** @param {(upload: Upload) => void} onChange called after every change of an upload */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  get busy() {
    return this.uploads.length > this.settled;
  }

  get settled() {
    return this.counts.done + this.counts.duplicate + this.counts.failed + this.counts.cancelled;
  }

  /**
   * Begins a new batch where none is under way: finished files are dropped, failed ones kept for another try.
   * @param {File[]} files
   * @returns {Upload[]} the new ones
   */
  add(files) {
    if (!this.busy) this.#keep((upload) => upload.state === "failed");
    const added = files.map((file) => new Upload(file));
    // One by one: so many arguments of one push would overflow the stack.
    for (const upload of added) {
      this.uploads.push(upload);
      this.totalBytes += upload.file.size;
    }
    this.counts.waiting += added.length;
    return added;
  }

  clear() {
    this.#keep(() => false);
  }

  /**
   * @param {Upload} upload
   * @param {State} state
   * @param {{reason?: string, retryAt?: number}} [why]
   */
  move(upload, state, { reason = "", retryAt = 0 } = {}) {
    this.counts[upload.state] -= 1;
    this.counts[state] += 1;
    upload.state = state;
    upload.reason = reason;
    upload.retryAt = retryAt;
    this.#count(upload, UNSENT.has(state) ? 0 : upload.file.size);
    this.#onChange(upload);
  }

  /**
   * @param {Upload} upload
   * @param {number} sent bytes of the request so far
   */
  progress(upload, sent) {
    const bytes = Math.min(sent, upload.file.size);
    this.transferredBytes += Math.max(0, bytes - upload.sentBytes);
    this.#count(upload, bytes);
    // All bytes are sent, and the server is at work: the bar has nothing left to show.
    if (upload.state === "sending" && bytes === upload.file.size) this.move(upload, "processing");
    else this.#onChange(upload);
  }

  /**
   * @param {Upload} upload
   * @param {number} bytes
   */
  #count(upload, bytes) {
    this.doneBytes += bytes - upload.sentBytes;
    upload.sentBytes = bytes;
  }

  /** @param {(upload: Upload) => boolean} stays */
  #keep(stays) {
    this.uploads = this.uploads.filter(stays);
    this.counts = noCounts();
    this.totalBytes = this.doneBytes = 0;
    for (const upload of this.uploads) {
      this.counts[upload.state] += 1;
      this.totalBytes += upload.file.size;
      this.doneBytes += upload.sentBytes;
    }
  }
}

/** @returns {Record<State, number>} */
function noCounts() {
  return { waiting: 0, checking: 0, sending: 0, processing: 0, done: 0, duplicate: 0, failed: 0, cancelled: 0 };
}
