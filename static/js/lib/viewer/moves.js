// The commands that change nothing but the view: through the list, closer, farther, full screen.

const PAN_PX = 120;

/**
 * @param {import("./cursor.js").Cursor} cursor
 * @param {import("./zoom.js").Zoom} zoom
 * @returns {Record<string, () => void>} by the names in viewer-keys.js and in data-do
 */
export function movesOf(cursor, zoom) {
  const before = () => cursor.step(-1);
  const after = () => cursor.step(1);
  // The arrows pan a picture that is larger than the stage, so that nobody needs a pointer to see all of it.
  /** @type {(x: number, y: number, otherwise?: () => void) => () => void} */
  const pan = (x, y, otherwise) => () => (zoom.isZoomed ? zoom.panBy(x * PAN_PX, y * PAN_PX, true) : otherwise?.());
  return {
    before,
    after,
    left: pan(1, 0, before),
    right: pan(-1, 0, after),
    up: pan(0, 1),
    down: pan(0, -1),
    first: () => void cursor.go(0),
    last: () => void cursor.go(cursor.total - 1),
    closer: () => zoom.step(true),
    farther: () => zoom.step(false),
    whole: () => zoom.reset(),
    zoom: () => zoom.toggle(),
    fullscreen: toggleFullscreen,
  };
}

/** The root element, since browsers refuse full screen to a dialog; the dialog is above it all the same. */
function toggleFullscreen() {
  const done = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  // Where it is not allowed, such as in a frame, nothing is lost.
  void done.catch(() => {});
}
