// The meaning of clicks and keys on the grid: opening, selecting, ranges, days.

import { Refusal } from "../base/refusal.js";
import { toast } from "../base/toast.js";
import { number } from "../base/words.js";

/** @typedef {import("./picture-list.js").PictureList} PictureList */
/** @typedef {import("../base/api.js").Picture} Picture */
/** @typedef {import("./photo-grid.js").PhotoGrid} PhotoGrid */
/** @typedef {import("./selection.js").Selection} Selection */

const MOST_IN_A_RANGE = 10_000;

export class GridControl {
  #list;
  #grid;
  #selection;
  #open;
  /** The picture that was toggled last, where a range begins. By id, since indexes shift. */
  #anchorId = "";
  /** Index where the range ended last; -1 once indexes have shifted. */
  #extent = -1;
  /** Steps that wait for pictures to be loaded run one after the other. */
  #queue = Promise.resolve();

  /**
   * @param {PictureList} list
   * @param {PhotoGrid} grid
   * @param {Selection} selection
   * @param {(index: number) => void} open
   */
  constructor(list, grid, selection, open) {
    this.#list = list;
    this.#grid = grid;
    this.#selection = selection;
    this.#open = open;
    list.addEventListener("shape", () => (this.#extent = -1));
    selection.addEventListener("change", () => {
      if (selection.count === 0) this.#begin(null);
    });
  }

  get selecting() {
    return this.#selection.count > 0;
  }

  get #anchor() {
    return this.#list.indexOf(this.#anchorId);
  }

  /** @param {number} index */
  open(index) {
    this.#open(index);
  }

  /** @param {number} index */
  toggle(index) {
    const picture = this.#list.peek(index);
    if (!picture) return;
    this.#offer(this.#selection.set([picture], !this.#selection.has(picture.id)));
    this.#begin(picture);
  }

  /**
   * Selects from the picture toggled last to this one, instead of to where the range ended before.
   * @param {number} index
   */
  extendTo(index) {
    this.previewTo(-1);
    this.#then(async () => {
      const anchor = this.#anchor < 0 ? index : this.#anchor;
      const [from, to] = [Math.min(anchor, index), Math.max(anchor, index) + 1];
      if (to - from > MOST_IN_A_RANGE) return this.#offer(false);
      if (this.#extent >= 0) this.#selection.set(await this.#outside(anchor, from, to), false);
      this.#offer(this.#selection.set(await this.#list.loadRange(from, to), true));
      if (this.#anchor < 0) this.#begin(this.#list.peek(anchor));
      this.#extent = index;
    });
  }

  /**
   * The pictures that the range held before, and no longer holds.
   * @param {number} anchor
   * @param {number} from
   * @param {number} to
   */
  async #outside(anchor, from, to) {
    const [first, last] = [Math.min(anchor, this.#extent), Math.max(anchor, this.#extent) + 1];
    const before = await this.#list.loadRange(first, Math.min(from, last));
    return [...before, ...(await this.#list.loadRange(Math.max(to, first), last))];
  }

  /**
   * With the keyboard: a range begins at the focused picture.
   * @param {number} from
   * @param {number} to
   */
  extendFrom(from, to) {
    if (this.#anchor < 0) this.#begin(this.#list.peek(from));
    this.extendTo(Math.max(0, Math.min(to, this.#list.total - 1)));
  }

  /**
   * Shows which pictures Shift-click would select.
   * @param {number} index -1 for nothing
   */
  previewTo(index) {
    const anchor = this.#anchor;
    if (index < 0 || anchor < 0) this.#grid.previewRange(0, 0);
    else this.#grid.previewRange(Math.min(anchor, index), Math.max(anchor, index) + 1);
  }

  /**
   * Selects all pictures of a day, or none where all are selected.
   * @param {number} section
   */
  toggleSection(section) {
    this.#then(async () => {
      const from = this.#list.sections.slice(0, section).reduce((sum, { count }) => sum + count, 0);
      const to = from + (this.#list.sections[section]?.count ?? 0);
      if (to - from > MOST_IN_A_RANGE) return this.#offer(false);
      const pictures = await this.#list.loadRange(from, to);
      const whole = pictures.every(({ id }) => this.#selection.has(id));
      this.#offer(this.#selection.set(pictures, !whole));
      this.#begin(pictures[0] ?? null);
    });
  }

  /** Selects the pictures in sight, or all where all are in sight. A second time, all that match. */
  selectView() {
    this.#then(async () => {
      const pictures = await this.#list.loadRange(...this.#grid.picturesInSight());
      if (pictures.length > 0 && pictures.every(({ id }) => this.#selection.has(id))) this.#selection.setAll();
      else this.#offer(this.#selection.set(pictures, true));
    });
  }

  /** @param {Picture | null} picture where a range begins from now on */
  #begin(picture) {
    this.#anchorId = picture?.id ?? "";
    this.#extent = -1;
  }

  /** @param {() => Promise<void>} step */
  #then(step) {
    this.#queue = this.#queue.then(step).catch((error) => {
      if (!(error instanceof Refusal)) throw error;
      toast(error.detail, { kind: "error" });
    });
  }

  /** @param {boolean} fits */
  #offer(fits) {
    if (fits) return;
    const action = { label: "Select all", run: () => this.#selection.setAll() };
    toast(`At most ${number(MOST_IN_A_RANGE)} pictures can be picked one by one.`, { action });
  }
}
