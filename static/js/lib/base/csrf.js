// The CSRF token, which proves to the server that a change comes from this page.

import { need } from "./dom.js";

let token = need(document, "meta[name=csrf-token]", HTMLMetaElement).content;

/** The CSRF token of the page's session. */
export function csrfToken() {
  return token;
}

/**
 * Takes the token of a new session, after signing in again.
 * @param {string} fresh
 */
export function useCsrfToken(fresh) {
  token = fresh;
  for (const input of document.querySelectorAll("input[name=csrf_token]")) {
    if (input instanceof HTMLInputElement) input.value = fresh;
  }
}
