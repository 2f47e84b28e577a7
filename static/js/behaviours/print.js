// A button that prints the page; hidden where no script could do so.

/** @param {HTMLElement} button */
export function attach(button) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
