// The viewer's place in the list. It holds on to the picture, not to its index: pictures come and go around it.

import { announce } from "../base/announce.js";

/** @typedef {import("../base/api.js").Picture} Picture */
/** @typedef {import("../grid/picture-list.js").PictureList} PictureList */
/** @typedef {{before: Picture | null, after: Picture | null, later: Picture | null}} Around */

/**
 * @typedef {object} Hooks
 * @property {(isOther: boolean) => void} moved to another picture, or this one has changed
 * @property {() => void} ended no picture is left to show
 * @property {(error: unknown) => void} failed the list could not be loaded further
 */

export class Cursor {
  /** @type {Picture | null} */
  picture = null;
  index = 0;
  #list;
  #hooks;
  /** Whether the picture is no longer in the list, so that the next one has its index. */
  #isAlone = false;
  #total = 0;
  #ticket = 0;
  /** Ids of pictures that are being removed. @type {Set<string>} */
  #going = new Set();
  /** Index that was asked for when the list turned out to be shorter; -1 for none. */
  #aim = -1;

  /**
   * @param {PictureList} list
   * @param {Hooks} hooks
   */
  constructor(list, hooks) {
    this.#list = list;
    this.#hooks = hooks;
    list.addEventListener("change", () => this.#listChanged());
    list.addEventListener("shape", () => this.#resume());
  }

  get total() {
    return this.#list.total;
  }

  /**
   * Shows the picture at once where it is loaded, without waiting for a microtask. Where the list has become shorter in the
   * meantime, shows the last one as soon as the list knows.
   * @param {number} index
   * @param {string} [id] the only picture that will do
   * @returns {Promise<boolean>} whether it is there
   */
  async go(index, id) {
    const ticket = (this.#ticket += 1);
    this.#aim = -1;
    const picture = this.#list.peek(index) ?? (await this.#load(index));
    if (ticket !== this.#ticket) return false;
    // The list has learned from the same answer that it is shorter, and fetches its shape anew.
    if (picture === null) this.#aim = index;
    if (!picture || (id && picture.id !== id)) return false;
    const isOther = picture.id !== this.picture?.id;
    [this.picture, this.index, this.#isAlone, this.#total] = [picture, index, false, this.total];
    this.#hooks.moved(isOther);
    return true;
  }

  /** @param {number} by -1 or 1 */
  step(by) {
    const index = this.#at(by);
    if (index < 0) return announce("This is the first picture.");
    if (index >= this.total) return announce("This is the last picture.");
    void this.go(index);
  }

  /** The viewer was closed. */
  leave() {
    this.picture = null;
    this.#aim = -1;
    this.#ticket += 1;
  }

  /**
   * The pictures beside this one. Those not loaded yet are requested, and the list dispatches "change" when they are.
   * @returns {Around}
   */
  around() {
    const [before, after, later] = [-1, 1, 2].map((by) => {
      const known = this.#list.peek(this.#at(by));
      if (!known) void this.#load(this.#at(by));
      return known;
    });
    return { before, after, later };
  }

  /**
   * Runs an action that removes the picture from the list, and goes on to the next one as soon as it is removed.
   * @param {(picture: Picture) => Promise<void>} act
   */
  async takeOut(act) {
    const picture = this.picture;
    if (!picture || this.#going.has(picture.id)) return;
    this.#going.add(picture.id);
    try {
      await act(picture);
    } catch (error) {
      this.#hooks.failed(error);
    } finally {
      this.#going.delete(picture.id);
    }
  }

  /** @param {Picture} picture that turned out to be gone from the server */
  lose(picture) {
    void this.takeOut(async () => this.#list.remove([picture.id]));
  }

  /** @param {Picture} picture after a change */
  replace(picture) {
    this.#list.replace(picture);
  }

  /** @param {number} by */
  #at(by) {
    return this.index + (this.#isAlone && by > 0 ? by - 1 : by);
  }

  /**
   * @param {number} index
   * @returns {Promise<Picture | null | undefined>} null beyond the end; undefined where it could not be read, which is told
   */
  #load(index) {
    return this.#list.load(index).catch((error) => {
      this.#hooks.failed(error);
      return undefined;
    });
  }

  /** The list has its shape again. */
  #resume() {
    if (this.picture && this.#aim >= 0) void this.go(Math.min(this.#aim, this.total - 1));
  }

  #listChanged() {
    const shown = this.picture;
    if (!shown) return;
    if (this.total === 0) return this.#hooks.ended();
    const at = this.#list.indexOf(shown.id);
    if (at < 0 && this.#going.has(shown.id)) return void this.go(Math.min(this.index, this.total - 1));
    this.#isAlone = at < 0;
    // After a refresh nothing is loaded. Pictures that have been added have most likely come before this one.
    if (at < 0 && this.total > this.#total) void this.#load(this.index + this.total - this.#total);
    this.index = at < 0 ? Math.min(this.index, this.total - 1) : at;
    this.#total = this.total;
    this.picture = this.#list.peek(at) ?? shown;
    this.#hooks.moved(false);
  }
}
