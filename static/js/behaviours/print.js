// A button that prints the page; hidden without scripts.

/** @param {HTMLElement} button */
export function attach(button) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
