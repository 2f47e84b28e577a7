// The zoom: scale and place of the picture on the stage, within bounds. Points are measured from the middle
// of the stage, in CSS pixels.

/** @typedef {{x: number, y: number}} Point */
/** @typedef {{width: number, height: number}} Size */

const MIDDLE = { x: 0, y: 0 };
const STEP = 1.5;
const AT_LEAST_UP_TO = 8;

export class Zoom {
  scale = 1;
  #at = { ...MIDDLE };
  /** @type {HTMLElement | null} */
  #frame = null;
  /** @type {Size} */
  #fit = { width: 1, height: 1 };
  /** @type {Size} */
  #room = { width: 1, height: 1 };
  #sharp = 1;
  #changed;

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  get isZoomed() {
    return this.scale > 1.001;
  }

  /**
   * Begins with a picture, seen whole.
   * @param {HTMLElement} frame
   * @param {Size} fit the frame's size
   * @param {Size} room the stage's
   * @param {number} sharp the scale at which one pixel of the picture is one of the screen
   */
  hold(frame, fit, room, sharp) {
    this.#frame = frame;
    this.#fit = fit;
    this.#room = room;
    this.#sharp = sharp;
    this.zoomTo(1, MIDDLE, false);
  }

  /** One step closer or back. @param {boolean} closer */
  step(closer) {
    this.zoomTo(this.scale * (closer ? STEP : 1 / STEP), MIDDLE, true);
  }

  reset() {
    this.zoomTo(1, MIDDLE, true);
  }

  /** Switches between the whole picture and its own pixels. @param {Point} [point] */
  toggle(point = MIDDLE) {
    this.zoomTo(this.isZoomed ? 1 : Math.max(this.#sharp, 2), point, true);
  }

  /**
   * Zooms; the part of the picture under `point` stays there.
   * @param {number} factor
   * @param {Point} point
   */
  zoomBy(factor, point) {
    this.zoomTo(this.scale * factor, point, false);
  }

  /**
   * @param {number} dx
   * @param {number} dy
   * @param {boolean} [smooth]
   */
  panBy(dx, dy, smooth = false) {
    this.#at.x += dx;
    this.#at.y += dy;
    this.#apply(smooth);
  }

  /**
   * @param {number} scale
   * @param {Point} point
   * @param {boolean} smooth
   */
  zoomTo(scale, point, smooth) {
    const next = clamp(scale, 1, Math.max(this.#sharp * 2, AT_LEAST_UP_TO));
    const factor = next / this.scale;
    this.scale = next;
    this.#at.x = point.x - (point.x - this.#at.x) * factor;
    this.#at.y = point.y - (point.y - this.#at.y) * factor;
    this.#apply(smooth);
  }

  /** @param {boolean} smooth whether to ease, as for a jump; a finger or a wheel is followed directly */
  #apply(smooth) {
    if (!this.#frame) return;
    const free = {
      x: Math.max(0, (this.#fit.width * this.scale - this.#room.width) / 2),
      y: Math.max(0, (this.#fit.height * this.scale - this.#room.height) / 2),
    };
    this.#at.x = clamp(this.#at.x, -free.x, free.x);
    this.#at.y = clamp(this.#at.y, -free.y, free.y);
    this.#frame.toggleAttribute("data-smooth", smooth);
    this.#frame.style.translate = `${this.#at.x}px ${this.#at.y}px`;
    this.#frame.style.scale = String(this.scale);
    this.#changed();
  }
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function clamp(value, least, most) {
  return Math.min(most, Math.max(least, value));
}
