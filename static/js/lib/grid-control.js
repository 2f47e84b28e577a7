// What clicks and keys on the grid mean: opening, selecting, ranges, days.

import { toast } from "./toast.js";

/** @typedef {import("./album.js").Album} Album */
/** @typedef {import("./photo-grid.js").PhotoGrid} PhotoGrid */
/** @typedef {import("./selection.js").Selection} Selection */

const MOST_IN_A_RANGE = 10_000;

export class GridControl {
  #album;
  #grid;
  #selection;
  #open;
  /** Where a range begins: the picture that was toggled last. */
  #anchor = -1;
  /** Where it ended last. */
  #extent = -1;

  /**
   * @param {Album} album
   * @param {PhotoGrid} grid
   * @param {Selection} selection
   * @param {(index: number) => void} open
   */
  constructor(album, grid, selection, open) {
    this.#album = album;
    this.#grid = grid;
    this.#selection = selection;
    this.#open = open;
    selection.addEventListener("change", () => {
      if (selection.count === 0) this.#anchor = this.#extent = -1;
    });
  }

  get selecting() {
    return this.#selection.count > 0;
  }

  /** @param {number} index */
  open(index) {
    this.#open(index);
  }

  /** @param {number} index */
  async toggle(index) {
    const picture = await this.#album.load(index);
    if (!picture) return;
    const selected = !this.#selection.has(picture.id);
    this.#offer(this.#selection.set([picture], selected));
    this.#anchor = index;
    this.#extent = -1;
  }

  /**
   * From where the last one was toggled to here, instead of to where it ended before.
   * @param {number} index
   */
  async extendTo(index) {
    const [anchor, extent] = [this.#anchor < 0 ? index : this.#anchor, this.#extent];
    this.previewTo(-1);
    this.#extent = index;
    const [from, to] = [Math.min(anchor, index), Math.max(anchor, index) + 1];
    if (to - from > MOST_IN_A_RANGE) return this.#offer(false);
    if (extent >= 0) {
      const before = await this.#album.loadRange(Math.min(anchor, extent), Math.min(from, Math.max(anchor, extent) + 1));
      const behind = await this.#album.loadRange(Math.max(to, Math.min(anchor, extent)), Math.max(anchor, extent) + 1);
      this.#selection.set([...before, ...behind], false);
    }
    this.#offer(this.#selection.set(await this.#album.loadRange(from, to), true));
    this.#anchor = anchor;
  }

  /**
   * With the keyboard: a range begins where one stands.
   * @param {number} from
   * @param {number} to
   */
  async extendFrom(from, to) {
    if (this.#anchor < 0) this.#anchor = from;
    await this.extendTo(Math.max(0, Math.min(to, this.#album.total - 1)));
  }

  /**
   * Shows what Shift-click would take.
   * @param {number} index -1 for nothing
   */
  previewTo(index) {
    const anchor = this.#anchor;
    if (index < 0 || anchor < 0) this.#grid.previewRange(0, 0);
    else this.#grid.previewRange(Math.min(anchor, index), Math.max(anchor, index) + 1);
  }

  /**
   * A whole day: all of it, or nothing where it is all selected.
   * @param {number} section
   */
  async toggleSection(section) {
    const from = this.#album.sections.slice(0, section).reduce((sum, { count }) => sum + count, 0);
    const to = from + (this.#album.sections[section]?.count ?? 0);
    if (to - from > MOST_IN_A_RANGE) return this.#offer(false);
    const pictures = await this.#album.loadRange(from, to);
    const whole = pictures.every(({ id }) => this.#selection.has(id));
    this.#offer(this.#selection.set(pictures, !whole));
    this.#anchor = from;
  }

  /** What is in sight; with everything in sight, that is everything. A second time, all that match. */
  async selectView() {
    const [first, last] = this.#grid.inSight();
    const rows = this.#grid.rows.slice(first, last);
    const [from, to] = [rows[0]?.from ?? 0, rows.at(-1)?.to ?? 0];
    const pictures = await this.#album.loadRange(from, to);
    if (pictures.length > 0 && pictures.every(({ id }) => this.#selection.has(id))) this.#selection.setAll();
    else this.#offer(this.#selection.set(pictures, true));
  }

  /** @param {boolean} fits */
  #offer(fits) {
    if (fits) return;
    const action = { label: "Select all", run: () => this.#selection.setAll() };
    toast(`At most ${MOST_IN_A_RANGE.toLocaleString("en")} pictures can be picked one by one.`, { action });
  }
}
