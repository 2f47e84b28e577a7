// Fingers, mouse and wheel on the viewer's stage: swipe, pinch, pan, double tap. `moves` decides what they do.

/** @typedef {{x: number, y: number}} Point */
/**
 * @typedef {object} Moves
 * @property {import("./zoom.js").Zoom} zoom
 * @property {(dx: number) => void} drag the picture follows the finger
 * @property {(dx: number, speed: number) => void} release speed in pixels a millisecond
 * @property {(down: boolean) => void} flick a short way up or down
 * @property {() => void} tap one finger, without moving
 */

const FIRM_PX = 8;
const FLICK_PX = 70;
const DOUBLE_MS = 320;
const DOUBLE_PX = 32;

export class Gestures {
  #stage;
  #moves;
  /** @type {Map<number, Point>} */
  #fingers = new Map();
  /** @type {Point} */
  #start = { x: 0, y: 0 };
  /** @type {"" | "x" | "y" | "free"} the axis of this gesture, once it is clear */
  #kind = "";
  #speed = 0;
  #movedAt = 0;
  #lastTap = { at: 0, x: 0, y: 0 };

  /**
   * @param {HTMLElement} stage
   * @param {Moves} moves
   */
  constructor(stage, moves) {
    this.#stage = stage;
    this.#moves = moves;
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    stage.addEventListener("pointerup", (event) => this.#up(event));
    stage.addEventListener("pointercancel", (event) => this.#up(event));
    // Not passive: the page must neither scroll nor zoom as well.
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0 || (event.target instanceof Element && event.target.closest("button"))) return;
    this.#stage.setPointerCapture(event.pointerId);
    const finger = this.#point(event);
    this.#fingers.set(event.pointerId, finger);
    if (this.#fingers.size > 1) {
      if (this.#kind === "x") this.#moves.release(0, 0);
      this.#kind = "free";
      return;
    }
    this.#start = finger;
    this.#kind = "";
    this.#speed = 0;
    this.#movedAt = event.timeStamp;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const before = this.#fingers.get(event.pointerId);
    if (!before) return;
    const now = this.#point(event);
    this.#fingers.set(event.pointerId, now);
    if (this.#fingers.size > 1) return this.#pinch(event.pointerId, before, now);
    const way = { x: now.x - this.#start.x, y: now.y - this.#start.y };
    if (!this.#kind) this.#kind = this.#firm(event, way);
    if (this.#kind === "free") this.#moves.zoom.panBy(now.x - before.x, now.y - before.y);
    if (this.#kind === "x") this.#moves.drag(way.x);
    const passed = Math.max(1, event.timeStamp - this.#movedAt);
    this.#speed = 0.6 * ((now.x - before.x) / passed) + 0.4 * this.#speed;
    this.#movedAt = event.timeStamp;
  }

  /**
   * @param {PointerEvent} event
   * @param {Point} way
   */
  #firm(event, way) {
    if (Math.hypot(way.x, way.y) < FIRM_PX) return "";
    if (this.#moves.zoom.isZoomed || event.pointerType === "mouse") return "free";
    return Math.abs(way.x) > Math.abs(way.y) ? "x" : "y";
  }

  /**
   * @param {number} id of the finger that moved
   * @param {Point} before
   * @param {Point} now
   */
  #pinch(id, before, now) {
    const other = [...this.#fingers].find(([finger]) => finger !== id)?.[1];
    if (!other) return;
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    const factor = distance(now, other) / Math.max(1, distance(before, other));
    this.#moves.zoom.panBy((now.x - before.x) / 2, (now.y - before.y) / 2);
    this.#moves.zoom.zoomBy(factor, middle);
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (!this.#fingers.delete(event.pointerId) || this.#fingers.size > 0) return;
    const end = this.#point(event);
    const way = { x: end.x - this.#start.x, y: end.y - this.#start.y };
    const called = event.type === "pointercancel";
    // A finger that has come to rest has no speed left.
    const speed = event.timeStamp - this.#movedAt > 100 ? 0 : this.#speed;
    if (this.#kind === "x") this.#moves.release(called ? 0 : way.x, called ? 0 : speed);
    if (this.#kind === "y" && !called && Math.abs(way.y) > FLICK_PX) this.#moves.flick(way.y > 0);
    if (!this.#kind && !called) this.#tap(event, end);
  }

  /**
   * @param {PointerEvent} event
   * @param {Point} point
   */
  #tap(event, point) {
    const twice = event.timeStamp - this.#lastTap.at < DOUBLE_MS && distance(point, this.#lastTap) < DOUBLE_PX;
    this.#lastTap = twice ? { at: 0, x: 0, y: 0 } : { at: event.timeStamp, ...point };
    if (event.pointerType !== "mouse") this.#moves.tap();
    if (twice) this.#moves.zoom.toggle(point);
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : 24);
    // With Ctrl it is a pinch on a touch pad, which sends small numbers.
    this.#moves.zoom.zoomBy(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)), this.#point(event));
  }

  /** @param {MouseEvent} event */
  #point(event) {
    const box = this.#stage.getBoundingClientRect();
    return { x: event.clientX - box.x - box.width / 2, y: event.clientY - box.y - box.height / 2 };
  }
}

/**
 * @param {Point} one
 * @param {Point} other
 */
function distance(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
