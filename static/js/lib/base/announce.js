// Tells screen readers what has just happened (a live region).

const SETTLE_MS = 60;

const region = document.createElement("p");
region.className = "visually-hidden";
region.setAttribute("role", "status");
document.body.append(region);

let latest = "";
/** @type {ReturnType<typeof setTimeout> | undefined} while the region is new in its place */
let settling;

/**
 * Has the words read out when the voice is free. An open dialog hides the rest of the page, so the words go into it.
 * @param {string} words
 */
export function announce(words) {
  latest = words;
  const place = [...document.querySelectorAll("dialog:modal")].at(-1) ?? document.body;
  if (region.parentElement === place) {
    if (settling === undefined) region.textContent = words;
    return;
  }
  // A live region that is inserted with its words in it is often not read.
  region.textContent = "";
  place.append(region);
  clearTimeout(settling);
  settling = setTimeout(() => {
    settling = undefined;
    region.textContent = latest;
  }, SETTLE_MS);
}
