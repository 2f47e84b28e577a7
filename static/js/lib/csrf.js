// The token that proves to the server that a change comes from this page.

import { need } from "./dom.js";

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
