// Sends one file in one request. XMLHttpRequest, because fetch has no progress of what was sent.

import { retryAfter } from "../base/retry.js";

/**
 * @typedef {object} Answer
 * @property {number} status 0 where no answer came at all
 * @property {import("../base/api.js").Picture | null} image
 * @property {string} detail the problem's own words, or ""
 * @property {number | null} retryAfterMs the wait that the server asked for
 */

/**
 * Never rejects: a broken connection is an answer with status 0.
 * @param {File} file
 * @param {string} csrfToken
 * @param {AbortSignal} signal
 * @param {(sentBytes: number) => void} onProgress
 * @returns {Promise<Answer>}
 */
export function sendFile(file, csrfToken, signal, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/v1/images?name=${encodeURIComponent(wellFormed(file.name))}`);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-CSRF-Token", csrfToken);
    const stop = () => request.abort();
    signal.addEventListener("abort", stop);
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onloadend = () => {
      signal.removeEventListener("abort", stop);
      resolve(answerOf(request));
    };
    request.send(file);
  });
}

/**
 * Whether the file can still be read: it may have been moved or deleted since it was chosen.
 * @param {File} file
 */
export async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/**
 * A name may hold half a surrogate pair, which encodeURIComponent refuses.
 * @param {string} name
 */
function wellFormed(name) {
  return new TextDecoder().decode(new TextEncoder().encode(name));
}

/**
 * @param {XMLHttpRequest} request
 * @returns {Answer}
 */
function answerOf(request) {
  /** @type {any} */
  let body = null;
  try {
    body = JSON.parse(request.responseText);
  } catch {
    // A proxy's own error page, or an empty body: the status must do.
  }
  const ok = request.status === 200 || request.status === 201;
  return {
    status: request.status,
    image: ok && typeof body?.id === "string" ? body : null,
    detail: !ok && typeof body?.detail === "string" ? body.detail : "",
    retryAfterMs: retryAfter(request.getResponseHeader("Retry-After")),
  };
}
