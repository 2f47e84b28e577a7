// Lets a password be looked at while it is typed. It is hidden again before the form is sent, so that no browser
// remembers it as ordinary text.

import { need } from "./dom.js";

/** @param {HTMLElement} field */
export function attach(field) {
  const input = need(field, "input", HTMLInputElement);
  const toggle = need(field, "button", HTMLButtonElement);
  /** @param {boolean} shown */
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    toggle.setAttribute("aria-pressed", String(shown));
  };
  toggle.hidden = false;
  toggle.addEventListener("click", () => show(input.type === "password"));
  input.form?.addEventListener("submit", () => show(false));
}
