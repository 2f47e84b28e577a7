// The words of the tray.

import { bytes, number } from "../base/words.js";

/** @typedef {import("./ledger.js").Upload} Upload */
/** @typedef {import("./ledger.js").UploadLedger} UploadLedger */

/**
 * Rounded, since it is an estimate.
 * @param {number} seconds
 */
export function timeLeft(seconds) {
  if (seconds <= 55) return `${5 * Math.max(1, Math.ceil(seconds / 5))} s left`;
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min left`;
  return `${Math.ceil(seconds / 3600)} h left`;
}

/**
 * The state of one file.
 * @param {Upload} upload
 * @param {{halted: boolean, now: number}} moment
 */
export function stateOf(upload, { halted, now }) {
  switch (upload.state) {
    case "waiting":
      if (halted) return "Waiting for you to sign in";
      return upload.retryAt ? `Trying again in ${Math.max(1, Math.ceil((upload.retryAt - now) / 1000))} s` : `Waiting · ${bytes(upload.file.size)}`;
    case "checking":
      return "Checking";
    case "sending":
      return `${Math.floor((100 * upload.sentBytes) / Math.max(1, upload.file.size))}% of ${bytes(upload.file.size)}`;
    case "processing":
      return "Processing";
    case "done":
      return `Added · ${bytes(upload.file.size)}`;
    case "duplicate":
      return "Already here";
    case "cancelled":
      return "Cancelled";
    case "failed":
      return upload.reason;
  }
}

/**
 * How the batch ended.
 * @param {UploadLedger} ledger
 */
export function summary({ counts }) {
  const parts = [];
  if (counts.done || !(counts.duplicate || counts.failed || counts.cancelled)) parts.push(`${number(counts.done)} added`);
  if (counts.duplicate) parts.push(`${number(counts.duplicate)} already here`);
  if (counts.failed) parts.push(`${number(counts.failed)} not added`);
  if (counts.cancelled) parts.push(`${number(counts.cancelled)} cancelled`);
  return parts.join(", ");
}

/**
 * The progress as a screen reader is told.
 * @param {UploadLedger} ledger
 */
export function spoken({ counts, uploads }) {
  const uploaded = `${number(counts.done + counts.duplicate)} of ${number(uploads.length)} uploaded`;
  return counts.failed ? `${uploaded}, ${number(counts.failed)} failed` : uploaded;
}
