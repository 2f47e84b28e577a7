// Talking to the server: JSON in and out, the CSRF token, and a session that ended in between.

import { need } from "./dom.js";
import { signInAgain } from "./sign-in-again.js";

/**
 * @typedef {object} Picture The API's image.
 * @property {string} id
 * @property {string} name
 * @property {string[]} also_named
 * @property {string} content_type
 * @property {number} size bytes of the original
 * @property {number} width in pixels, as shown
 * @property {number} height
 * @property {string} uploaded_at RFC 3339
 * @property {string | null} trashed_at
 * @property {string | null} taken_at
 * @property {string | null} taken_local the camera's own clock, without a zone
 * @property {string | null} camera
 * @property {{latitude: number, longitude: number} | null} [location]
 * @property {string[]} tags
 * @property {string} caption
 * @property {boolean} favourite
 * @property {"active" | "trashed"} state
 * @property {string} thumbhash base64
 * @property {string} sha256
 * @property {boolean} [duplicate]
 */

/** An answer that is no success. `detail` is a sentence for people. */
export class Refusal extends Error {
  /**
   * @param {number} status 0 where no answer came
   * @param {string} detail
   * @param {Record<string, string>} [errors] by field
   * @param {string[]} [missing] ids that the vault does not hold
   */
  constructor(status, detail, errors = {}, missing = []) {
    super(detail);
    this.status = status;
    this.detail = detail;
    this.errors = errors;
    this.missing = missing;
  }
}

/** No answer came. */
export function unreachable() {
  return new Refusal(0, "The server cannot be reached. Check the connection and try again.");
}

/**
 * An answer that is no success, in its own words where it has some.
 * @param {Response} answer whose body was not read yet
 */
export async function refusalOf(answer) {
  const json = parsed(await answer.text().catch(() => ""));
  return new Refusal(answer.status, json?.detail ?? `The server answered ${answer.status}.`, json?.errors, json?.missing);
}

let token = need(document, "meta[name=csrf-token]", HTMLMetaElement).content;

/** What proves that a change comes from this page. */
export function csrfToken() {
  return token;
}

/**
 * After signing in again the session is another one, and so is its token.
 * @param {string} fresh
 */
export function useCsrfToken(fresh) {
  token = fresh;
  for (const input of document.querySelectorAll("input[name=csrf_token]")) {
    if (input instanceof HTMLInputElement) input.value = fresh;
  }
}

/**
 * Calls the API. Where the session has ended it asks to sign in, and calls once more.
 * @param {"GET" | "POST" | "PATCH" | "DELETE"} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>} what the answer held, or null
 * @throws {Refusal}
 */
export async function call(method, path, body) {
  const first = await send(method, path, body);
  // A change is something that somebody has just asked for, so the question is welcome.
  // And a token may be that of a session before: signing in again takes up the one there is.
  const ended = first.status === 401 || (first.status === 403 && method !== "GET");
  const answer = ended && (await signInAgain(method !== "GET")) ? await send(method, path, body) : first;
  if (!answer.ok) throw await refusalOf(answer);
  return parsed(await answer.text().catch(() => Promise.reject(unreachable())));
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
async function send(method, path, body) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json", "X-CSRF-Token": token };
  if (body) headers["Content-Type"] = "application/json";
  try {
    return await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw unreachable();
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    // Nothing, or a proxy's own error page: the status must do.
    return null;
  }
}
