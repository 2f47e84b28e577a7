// Calls to the API: JSON in and out, and signing in again where the session has ended.

import { csrfToken } from "./csrf.js";
import { parsed, refusalOf, unreachable } from "./refusal.js";
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

/**
 * Calls the API. Where the session has ended it asks the person to sign in, and calls once more.
 * @param {"GET" | "POST" | "PATCH" | "DELETE"} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>} the answer's JSON, or null
 * @throws {Refusal}
 */
export async function call(method, path, body) {
  const first = await send(method, path, body);
  // A person has just asked for a change, so the question is welcome.
  // And the CSRF token may be an earlier session's: signing in again adopts the current session.
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
  const headers = { Accept: "application/json", "X-CSRF-Token": csrfToken() };
  if (body) headers["Content-Type"] = "application/json";
  try {
    return await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw unreachable();
  }
}
