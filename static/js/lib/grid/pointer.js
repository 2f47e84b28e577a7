// Mouse and touch on the grid: opening, toggling, ranges, whole days, and the long press.

/** @typedef {import("./control.js").GridControl} GridControl */
/** @typedef {import("./photo-grid.js").PhotoGrid} PhotoGrid */

const LONG_PRESS_MS = 450;
const STILL_PX = 10;

/**
 * @param {HTMLElement} root
 * @param {PhotoGrid} grid
 * @param {GridControl} control
 */
export function attachPointer(root, grid, control) {
  let pressed = 0;
  let swallow = false;
  /** @type {{x: number, y: number} | null} */
  let start = null;

  root.addEventListener("click", (event) => {
    if (swallow) {
      swallow = false;
      event.preventDefault();
      return;
    }
    const day = event.target instanceof Element ? event.target.closest("button[data-section]") : null;
    if (day instanceof HTMLElement) return void control.toggleSection(Number(day.dataset.section));
    const index = grid.indexAt(event.target);
    if (index < 0) return;
    // A click with the Windows or Super key is left to the browser, as a middle click is.
    if (event.metaKey && !isMac()) return;
    event.preventDefault();
    grid.stoodOn(index);
    const onCheck = event.target instanceof Element && event.target.closest(".photo__check") !== null;
    if (event.shiftKey) control.extendTo(index);
    else if (event.ctrlKey || event.metaKey || onCheck || control.selecting) control.toggle(index);
    else control.open(index);
  });

  root.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") control.previewTo(event.shiftKey ? grid.indexAt(event.target) : -1);
    if (start && Math.hypot(event.clientX - start.x, event.clientY - start.y) > STILL_PX) release();
  });
  root.addEventListener("pointerleave", () => control.previewTo(-1));
  addEventListener("keyup", (event) => {
    if (event.key === "Shift") control.previewTo(-1);
  });

  const release = () => {
    clearTimeout(pressed);
    start = null;
  };
  root.addEventListener("pointerdown", (event) => {
    swallow = false;
    release();
    // A second finger means a pinch.
    if (event.pointerType === "mouse" || !event.isPrimary) return;
    const index = grid.indexAt(event.target);
    if (index < 0) return;
    start = { x: event.clientX, y: event.clientY };
    pressed = setTimeout(() => {
      // The click that ends the long press would toggle the picture back.
      swallow = true;
      start = null;
      navigator.vibrate?.(10);
      control.toggle(index);
    }, LONG_PRESS_MS);
  });
  for (const event of ["pointerup", "pointercancel"]) root.addEventListener(event, release);
  root.addEventListener("contextmenu", (event) => {
    if (start || swallow) event.preventDefault();
  });
  root.addEventListener("focusin", (event) => grid.stoodOn(grid.indexAt(event.target)));
}

function isMac() {
  return navigator.platform.startsWith("Mac");
}
