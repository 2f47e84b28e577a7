// Progress at the front of the page's title: "34% · Vault" can be read on a tab in the background.

let before = "";
let shown = "";

/** @param {number} share from 0 to 1 */
export function showInTitle(share) {
  // The page may have taken another title in between, as when a picture is opened.
  if (document.title !== shown) before = document.title;
  shown = `${Math.floor(100 * share)}% · ${before.replace(/ · Image Vault$/, "")}`;
  document.title = shown;
}

/**
 * Gives the page another title, behind the progress at its front.
 * @param {string} title
 */
export function retitle(title) {
  if (shown && document.title === shown) before = title;
  else document.title = title;
}

export function restoreTitle() {
  if (shown && document.title === shown) document.title = before;
  shown = "";
}
