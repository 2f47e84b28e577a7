// Light, dark or as the system has it, at once: the page changes its colours, and the form is sent in the background so
// that the next page has them too.

import { announce } from "../lib/base/announce.js";
import { need } from "../lib/base/dom.js";

/** @param {HTMLElement} menu */
export function attach(menu) {
  const form = need(menu, "form", HTMLFormElement);
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!(button instanceof HTMLButtonElement)) return;
    event.preventDefault();
    show(button.value);
    for (const choice of form.querySelectorAll("button")) {
      if (choice === button) choice.setAttribute("aria-current", "true");
      else choice.removeAttribute("aria-current");
    }
    if (menu instanceof HTMLDetailsElement) menu.open = false;
    need(menu, "summary", HTMLElement).focus();
    void remember(form, button);
  });
}

/**
 * Sets the theme as base.html.tera does for one that the server knows.
 * @param {string} theme "light", "dark" or "system"
 */
function show(theme) {
  const chosen = theme === "system" ? null : theme;
  if (chosen) document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
  need(document, "meta[name=color-scheme]", HTMLMetaElement).content = chosen ?? "light dark";
  for (const meta of document.querySelectorAll("meta[name=theme-color]")) {
    if (!(meta instanceof HTMLMetaElement)) continue;
    const { scheme } = meta.dataset;
    if (chosen) meta.media = scheme === chosen ? "all" : "not all";
    else meta.media = `(prefers-color-scheme: ${scheme})`;
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement} button
 */
async function remember(form, button) {
  const words = `Theme: ${button.textContent?.trim()}.`;
  const fields = new URLSearchParams({ [button.name]: button.value });
  try {
    // The answer leads to a page, which is not wanted; its cookie is kept all the same.
    await fetch(form.action, { method: "POST", body: fields, redirect: "manual", keepalive: true });
    announce(words);
  } catch {
    announce(`${words} It is not remembered: the server cannot be reached.`);
  }
}
