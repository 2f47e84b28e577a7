// The form that adds a passkey: password and code first, then the browser makes one, then the form goes its plain way
// with the new credential.

import { need } from "../lib/base/dom.js";
import { arePossible, create, post, wordsFor } from "../lib/account/passkeys.js";

/** @param {HTMLElement} form */
export function attach(form) {
  if (!(form instanceof HTMLFormElement) || !arePossible()) return;
  const answer = need(form, "input[name=answer]", HTMLInputElement);
  const password = need(form, "input[name=password]", HTMLInputElement);
  const code = form.querySelector("input[name=totp]:not([type=hidden])");
  const button = need(form, "[data-passkey=add]", HTMLButtonElement);
  const error = need(form, "[role=alert]", HTMLElement);
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    button.disabled = true;
    error.hidden = true;
    const totp = new FormData(form).get("totp") ?? undefined;
    post("/api/v1/account/passkeys/challenge", { password: password.value, totp })
      .then(create)
      .then((made) => {
        answer.value = JSON.stringify(made);
        // Password and code were sent to the server already, and a code works once.
        password.disabled = true;
        if (code instanceof HTMLInputElement) code.disabled = true;
        form.submit();
      })
      .catch((reason) => {
        button.disabled = false;
        error.hidden = false;
        need(error, "span", HTMLElement).textContent = wordsFor(reason);
      });
  });
}
