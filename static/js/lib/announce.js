// Telling people who hear the page what has just happened.

const SETTLE_MS = 60;

const region = document.createElement("p");
region.className = "visually-hidden";
region.setAttribute("role", "status");
document.body.append(region);

let latest = "";
/** @type {ReturnType<typeof setTimeout> | undefined} while the region is new in its place */
let settling;

/**
 * Says it when the voice is free. A dialog that is open hides the rest of the page, so the words go into it.
 * @param {string} words
 */
export function announce(words) {
  latest = words;
  const place = [...document.querySelectorAll("dialog:modal")].at(-1) ?? document.body;
  if (region.parentElement === place) {
    if (settling === undefined) region.textContent = words;
    return;
  }
  // A region that comes with its words in it is often not read.
  region.textContent = "";
  place.append(region);
  clearTimeout(settling);
  settling = setTimeout(() => {
    settling = undefined;
    region.textContent = latest;
  }, SETTLE_MS);
}
