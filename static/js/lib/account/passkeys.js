// Passkeys (Web Authentication, Level 3): the server's options into the browser's call, and its answer back into JSON.

import { csrfToken } from "../base/csrf.js";
import { refusalOf, unreachable } from "../base/refusal.js";

/**
 * @typedef {object} Challenge
 * @property {string} token
 * @property {{publicKey: any}} options bytes are base64url
 *
 * @typedef {object} Answer As the server accepts it.
 * @property {string} token
 * @property {object} credential
 * @property {string} [prf] base64url
 */

/** Whether this browser and this page can use passkeys: only a secure context can. */
export function arePossible() {
  return Boolean(globalThis.PublicKeyCredential && navigator.credentials);
}

/**
 * Posts JSON to the server.
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>} its JSON, or null where it sent none
 * @throws {import("../base/refusal.js").Refusal}
 */
export async function post(path, body = {}) {
  const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": csrfToken() };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => {
    throw unreachable();
  });
  if (!answer.ok) throw await refusalOf(answer);
  return answer.status === 204 ? null : answer.json();
}

/**
 * Creates a new passkey.
 * @param {Challenge} challenge
 * @returns {Promise<Answer>}
 */
export async function create({ token, options }) {
  const publicKey = forBrowser(options.publicKey);
  const made = credentialOf(await navigator.credentials.create({ publicKey }));
  const { attestationObject, clientDataJSON } = /** @type {AuthenticatorAttestationResponse} */ (made.response);
  const response = { attestationObject: text(attestationObject), clientDataJSON: text(clientDataJSON) };
  return { token, credential: { ...outside(made), response }, prf: await prfOfNew(made, publicKey) };
}

/**
 * Has a passkey sign the challenge.
 * @param {Challenge} challenge
 * @returns {Promise<Answer>}
 */
export async function show({ token, options }) {
  const shown = credentialOf(await navigator.credentials.get({ publicKey: forBrowser(options.publicKey) }));
  const { authenticatorData, clientDataJSON, signature, userHandle } = /** @type {AuthenticatorAssertionResponse} */ (shown.response);
  const response = {
    authenticatorData: text(authenticatorData),
    clientDataJSON: text(clientDataJSON),
    signature: text(signature),
    userHandle: userHandle && text(userHandle),
  };
  return { token, credential: { ...outside(shown), response }, prf: prfOf(shown) };
}

/**
 * A failure in words for people.
 * @param {unknown} error
 */
export function wordsFor(error) {
  if (error instanceof DOMException) {
    if (error.name === "InvalidStateError") return "This device has a passkey for your vault already.";
    return "No passkey was used. Try again, or use something else.";
  }
  return error instanceof Error ? error.message : String(error);
}

/**
 * Some authenticators give a PRF output with a new passkey, others only when it is used.
 * @param {PublicKeyCredential} made
 * @param {any} publicKey
 */
async function prfOfNew(made, publicKey) {
  const results = /** @type {any} */ (made.getClientExtensionResults());
  if (!results.prf?.enabled || results.prf.results) return prfOf(made);
  // The signature of this call is never checked: only its PRF output is wanted.
  const shown = await navigator.credentials.get({
    publicKey: {
      challenge: crypto.getRandomValues(new Uint8Array(32)),
      rpId: publicKey.rp.id,
      allowCredentials: [{ type: "public-key", id: made.rawId }],
      userVerification: "required",
      extensions: { prf: publicKey.extensions.prf },
    },
  });
  return prfOf(credentialOf(shown));
}

/** @param {PublicKeyCredential} credential */
function prfOf(credential) {
  const output = /** @type {any} */ (credential.getClientExtensionResults()).prf?.results?.first;
  return output && text(output);
}

/**
 * The credential without its response. The PRF output is no part of it: it is a key, and is sent apart.
 * @param {PublicKeyCredential} credential
 */
function outside(credential) {
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, extensions: {} };
}

/** @param {Credential | null} credential */
function credentialOf(credential) {
  if (credential instanceof PublicKeyCredential) return credential;
  throw new Error("The browser gave no passkey.");
}

/** @param {any} options */
function forBrowser(options) {
  const listed = (/** @type {any[]} */ list = []) => list.map((one) => ({ ...one, id: bytes(one.id) }));
  const publicKey = { ...options, challenge: bytes(options.challenge) };
  if (options.user) publicKey.user = { ...options.user, id: bytes(options.user.id) };
  if (options.excludeCredentials) publicKey.excludeCredentials = listed(options.excludeCredentials);
  if (options.allowCredentials) publicKey.allowCredentials = listed(options.allowCredentials);
  const first = bytes(options.extensions.prf.eval.first);
  publicKey.extensions = { ...options.extensions, prf: { eval: { first } } };
  return publicKey;
}

/** @param {ArrayBuffer} buffer in base64url without padding */
function text(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} base64url */
function bytes(base64url) {
  const binary = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}
