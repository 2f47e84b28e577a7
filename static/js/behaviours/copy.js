// Copies the text of the element that data-copy points at, and says so on the button.

import { need } from "../lib/base/dom.js";

const SAY_MS = 2500;

/** @param {HTMLElement} button */
export function attach(button) {
  // Without a secure context there is no clipboard, and no button.
  if (!navigator.clipboard) return;
  const source = need(document, button.dataset.copy ?? "", HTMLElement);
  const words = need(button, ".button__text", HTMLElement);
  const before = words.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent?.trim() ?? "");
      words.textContent = "Copied";
    } catch {
      getSelection()?.selectAllChildren(source);
      words.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => (words.textContent = before), SAY_MS);
  });
}
