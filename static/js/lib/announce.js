// Telling people who hear the page what has just happened.

const region = document.createElement("p");
region.className = "visually-hidden";
region.setAttribute("role", "status");
document.body.append(region);

/**
 * Says it when the voice is free. A dialog that is open hides the rest of the page, so the words go into it.
 * @param {string} words
 */
export function announce(words) {
  const place = [...document.querySelectorAll("dialog:modal")].at(-1) ?? document.body;
  if (region.parentElement !== place) place.append(region);
  region.textContent = words;
}
