// The heading above the pictures of a day: its name, and the button that selects them all.

import { clone, need } from "../base/dom.js";
import { headingWords } from "../base/words.js";

/**
 * @param {string} key
 * @param {number} section
 */
export function headingOf(key, section) {
  const heading = clone("photos-heading");
  const words = headingWords(key);
  need(heading, "h2", HTMLElement).textContent = words;
  const button = need(heading, "button", HTMLButtonElement);
  button.dataset.section = String(section);
  button.setAttribute("aria-label", `Select all of ${words}`);
  return heading;
}
