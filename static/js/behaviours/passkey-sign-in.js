// Signing in with a passkey alone, where it opens the vault.

import { need } from "../lib/base/dom.js";
import { arePossible, post, show, wordsFor } from "../lib/account/passkeys.js";

/** @param {HTMLElement} box */
export function attach(box) {
  if (!arePossible()) return;
  const button = need(box, "[data-passkey=sign-in]", HTMLButtonElement);
  const error = need(box, "[role=alert]", HTMLElement);
  const keep = document.querySelector("input[name=keep]");
  const next = document.querySelector("input[name=next]");
  box.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    error.hidden = true;
    post("/login/passkey/challenge")
      .then(show)
      .then((answer) => post("/login/passkey", { ...answer, keep: keep instanceof HTMLInputElement && keep.checked }))
      .then(() => location.assign(next instanceof HTMLInputElement ? next.value : "/vault"))
      .catch((reason) => {
        button.disabled = false;
        error.hidden = false;
        need(error, "span", HTMLElement).textContent = wordsFor(reason);
      });
  });
}
