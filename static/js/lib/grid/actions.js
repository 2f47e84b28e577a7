// The actions on selected pictures: shown at once, told in words, and with an Undo.

import { call } from "../base/api.js";
import { ask } from "../base/ask.js";
import { Refusal } from "../base/refusal.js";
import { toast } from "../base/toast.js";
import { pictures } from "../base/words.js";

/** @typedef {import("./picture-list.js").PictureList} PictureList */
/** @typedef {import("../base/api.js").Picture} Picture */
/** @typedef {import("./selection.js").Selection} Selection */
/**
 * @typedef {object} Choice Some pictures, as the API takes them.
 * @property {object} body
 * @property {string[]} ids of the pictures; empty where a query selects them
 * @property {number} count
 */

export class Actions {
  #list;

  /** @param {PictureList} list */
  constructor(list) {
    this.#list = list;
  }

  /**
   * @param {Selection} selection
   * @returns {Choice}
   */
  static chosen(selection) {
    return { body: selection.body(), ids: selection.ids, count: selection.count };
  }

  /**
   * @param {Picture} picture
   * @returns {Choice}
   */
  static one(picture) {
    return { body: { ids: [picture.id] }, ids: [picture.id], count: 1 };
  }

  /**
   * Moves pictures to the trash, at once.
   * @param {Choice} choice
   */
  async trash({ body, ids }) {
    return this.#without(ids, async () => {
      const { deleted, trashed_at } = await this.#bulk("images/delete", { body, ids });
      // By id where ids are known: several calls may have deleted pictures at the same moment.
      const gone = ids.length > 0 ? { body: { ids }, ids } : { body: { trashed_at }, ids };
      this.#offerUndo(`${pictures(deleted)} moved to the trash`, gone);
    });
  }

  /**
   * Asks first, naming the number of pictures.
   * @param {Choice} choice
   */
  async deleteForGood({ body, ids, count }) {
    const title = `Delete ${pictures(count)} for good?`;
    const text = `${count === 1 ? "Its key is" : "Their keys are"} destroyed first, so nobody can bring ${count === 1 ? "it" : "them"} back: not you, not the administrator.`;
    if (!(await ask({ title, text, confirm: "Delete for good", danger: true }))) return false;
    return this.#without(ids, async () => {
      const { deleted } = await this.#bulk("images/delete", { body, ids }, { permanent: true });
      toast(`${pictures(deleted)} deleted for good`);
    });
  }

  /** @param {Choice} choice */
  async restore({ body, ids }) {
    return this.#without(ids, async () => {
      const { restored } = await this.#bulk("images/restore", { body, ids });
      toast(`${pictures(restored)} back in your vault`);
    });
  }

  /**
   * @param {Choice} choice
   * @param {boolean} favourite
   */
  async favourite({ body, ids }, favourite) {
    const done = await this.#told(async () => {
      const { marked } = await this.#bulk("images/favourite", { body, ids }, { favourite });
      toast(favourite ? `${pictures(marked)} marked as favourite` : `${pictures(marked)} no longer favourite`);
    });
    await this.look();
    return done;
  }

  /**
   * Downloads one file as it is, several in one zip. The browser does it by itself: it shows the progress, and can resume.
   * @param {Choice} choice
   */
  async download({ body, ids }) {
    if (ids.length === 1) return leadTo(`/api/v1/images/${ids[0]}/original`);
    await this.#told(async () => leadTo((await this.#bulk("archives", { body, ids })).url));
  }

  /**
   * Calls the API about many pictures. Those that were deleted for good on another device are left out, also of the page:
   * the others are still meant.
   * @param {string} path below /api/v1/
   * @param {Omit<Choice, "count">} choice
   * @param {object} [more]
   */
  async #bulk(path, { body, ids }, more) {
    try {
      return await call("POST", `/api/v1/${path}`, { ...body, ...more });
    } catch (error) {
      const missing = new Set(error instanceof Refusal ? error.missing : []);
      const left = ids.filter((id) => !missing.has(id));
      if (missing.size > 0) this.#list.remove(missing);
      if (left.length === 0 || left.length === ids.length) throw error;
      return call("POST", `/api/v1/${path}`, { ids: left, ...more });
    }
  }

  /**
   * @param {string} words
   * @param {Omit<Choice, "count">} gone
   */
  #offerUndo(words, gone) {
    const run = async () => {
      const done = await this.#told(async () => {
        const { restored } = await this.#bulk("images/restore", gone);
        toast(`${pictures(restored)} back in your vault`);
      });
      if (!done) this.#offerUndo("Not brought back yet", gone);
      await this.look();
    };
    toast(words, { action: { label: "Undo", run, undoes: true } });
  }

  /**
   * Removes pictures from the page before the server has answered; if it refuses, they come back.
   * @param {string[]} ids
   * @param {() => Promise<void>} change
   */
  async #without(ids, change) {
    if (ids.length > 0) this.#list.remove(ids);
    const done = await this.#told(change);
    await this.look();
    return done;
  }

  /**
   * Refreshes the list from the server; tells people if that fails.
   * @param {import("./picture-list.js").Query} [query] where another list is to be shown
   * @returns {Promise<boolean>}
   */
  look(query) {
    return this.#told(() => this.#list.refresh(query));
  }

  /**
   * Runs a change, and tells people what went wrong.
   * @param {() => Promise<void>} change
   */
  async #told(change) {
    try {
      await change();
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      toast(error.detail, { kind: "error" });
      return false;
    }
  }
}

/** @param {string} url of an attachment, so the page stays */
function leadTo(url) {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}
