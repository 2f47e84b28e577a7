// A passkey instead of a code: the browser's answer goes into the form as its code, and the form is sent.

import { need } from "../lib/base/dom.js";
import { arePossible, post, show, wordsFor } from "../lib/account/passkeys.js";

/** @param {HTMLElement} field */
export function attach(field) {
  if (!arePossible()) return;
  const input = need(field, "input[name=totp]", HTMLInputElement);
  const button = need(field, "[data-passkey=show]", HTMLButtonElement);
  const error = need(field, "[role=alert]", HTMLElement);
  button.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    error.hidden = true;
    post(button.dataset.ask ?? "")
      .then(show)
      .then(({ token, credential }) => send(input, JSON.stringify({ token, credential })))
      .catch((reason) => {
        error.hidden = false;
        need(error, "span", HTMLElement).textContent = wordsFor(reason);
      })
      .finally(() => (button.disabled = false));
  });
}

/**
 * @param {HTMLInputElement} input
 * @param {string} answer
 */
function send(input, answer) {
  const hidden = document.createElement("input");
  hidden.type = "hidden";
  hidden.name = "totp";
  hidden.value = answer;
  input.form?.append(hidden);
  input.disabled = true;
  // Another field may still be empty: then the browser says so, and a code can be typed after all.
  if (input.form?.reportValidity()) input.form.requestSubmit();
  else {
    hidden.remove();
    input.disabled = false;
  }
}
