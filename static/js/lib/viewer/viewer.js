// The viewer: one picture of the list over the grid, and all actions on a single picture. The look and the input of its parts
// are in the files viewer-*.js; here they are tied together.

import { announce } from "../base/announce.js";
import { call } from "../base/api.js";
import { need } from "../base/dom.js";
import { showKeys } from "../base/keys-help.js";
import { Refusal } from "../base/refusal.js";
import { toast, undoNewest } from "../base/toast.js";
import { Bar, place } from "./bar.js";
import { Cursor } from "./cursor.js";
import { Details } from "./details.js";
import { Gestures } from "./gestures.js";
import { listenForKeys } from "./keys.js";
import { tell, wordsOf } from "./load.js";
import { movesOf } from "./moves.js";
import { Stage } from "./stage.js";
import { Trail } from "./trail.js";
import { nameOf } from "../base/words.js";

/** @typedef {import("../base/api.js").Picture} Picture */

/**
 * @typedef {object} Actions What the page does with a picture. Each tells people by itself how it went.
 * @property {(picture: Picture) => Promise<void>} remove to the trash
 * @property {(picture: Picture) => Promise<void>} removeForGood asks first
 * @property {(picture: Picture, favourite: boolean) => Promise<void>} setFavourite
 * @property {(picture: Picture) => Promise<void>} [restore] out of the trash
 * @property {(index: number) => void} closed
 */

const NARROW = "(max-width: 47.99rem)";

export class Viewer {
  #actions;
  #cursor;
  #dialog = need(document, "[data-viewer=dialog]", HTMLDialogElement);
  #bar;
  #details;
  #stage;
  #trail = new Trail({ back: () => void this.#shut(), forth: ({ index, id }) => void this.#return(index, id) });
  #left = Promise.resolve();

  /**
   * @param {import("../grid/picture-list.js").PictureList} list
   * @param {Actions} actions
   */
  constructor(list, actions) {
    const dialog = this.#dialog;
    const stage = need(dialog, "[data-viewer=stage]", HTMLElement);
    this.#actions = actions;
    this.#cursor = new Cursor(list, { moved: (isOther) => this.#show(isOther), ended: () => this.close(), failed: tell });
    this.#stage = new Stage(stage, {
      failed: (picture, error) => void this.#failed(picture, error),
      zoomed: () => this.#bar.press("zoom", this.#stage.zoom.isZoomed),
    });
    this.#details = new Details(need(dialog, "[data-viewer=details]", HTMLElement), (picture) => this.#cursor.replace(picture));
    const commands = this.#commands();
    this.#bar = new Bar(dialog, commands);
    new Gestures(stage, {
      zoom: this.#stage.zoom,
      drag: (dx) => this.#stage.drag(dx),
      release: (dx, speed) => this.#stage.release(dx, speed, (by) => this.#cursor.step(by)),
      flick: (down) => (down ? this.close() : this.#toggleDetails(true)),
      tap: () => this.#bar.toggle(),
    });
    listenForKeys(dialog, commands);
    // The browser's own way to close, such as Android's Back.
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#escape();
    });
    dialog.addEventListener("close", () => !dialog.open && this.close());
    document.addEventListener("fullscreenchange", () => this.#bar.press("fullscreen", document.fullscreenElement !== null));
    addEventListener("online", () => this.#stage.hasTrouble && this.#stage.retry());
  }

  get isOpen() {
    return this.#cursor.picture !== null;
  }

  /** @param {number} index */
  open(index) {
    // A viewer that has just been closed is still on its way back through the history.
    void this.#left.then(() => this.#cursor.go(index));
  }

  close() {
    if (this.isOpen) this.#left = this.#shut();
  }

  async #shut() {
    if (!this.isOpen) return;
    this.#cursor.leave();
    this.#bar.stop();
    this.#toggleDetails(false);
    if (document.fullscreenElement) void document.exitFullscreen();
    this.#dialog.close();
    this.#stage.clear();
    // Toasts in the dialog, such as the offer to undo a deletion, stay on the page.
    document.body.append(...this.#dialog.querySelectorAll(":scope > .toasts"));
    await this.#trail.leave();
    this.#actions.closed(Math.max(0, Math.min(this.#cursor.index, this.#cursor.total - 1)));
  }

  /**
   * Forward in the history. A picture that is no longer where it was still has its plain page.
   * @param {number} index
   * @param {string} id
   */
  async #return(index, id) {
    if (!(await this.#cursor.go(index, id))) location.reload();
  }

  /** @param {boolean} isOther than the one before */
  #show(isOther) {
    const { picture, index, total } = this.#cursor;
    if (!picture) return;
    if (!this.#dialog.open) {
      this.#dialog.showModal();
      // Not on a button, which would look chosen: screen readers read the dialog's own name.
      this.#dialog.focus();
    }
    this.#bar.show(picture, index, total);
    this.#details.show(picture);
    this.#trail.tell(picture, index);
    this.#stage.show(picture, this.#cursor.around());
    if (!isOther) return;
    announce(`${nameOf(picture)}, ${place(index, total)}`);
    if (!this.#dialog.hasAttribute("data-calm")) this.#bar.wake();
  }

  /**
   * @param {Picture} picture
   * @param {unknown} error why its preview did not come
   */
  async #failed(picture, error) {
    let reason = error;
    if (error instanceof Refusal && [401, 404].includes(error.status)) {
      // Where the session has ended this asks to sign in again; and it tells a picture that is gone from a damaged one.
      const found = await call("GET", `/api/v1/images/${picture.id}`).catch((refusal) => void (reason = refusal));
      if (found && error.status === 401) return this.#stage.retry();
    }
    if (this.#cursor.picture?.id !== picture.id) return;
    if (!(reason instanceof Refusal && reason.status === 404)) return this.#stage.trouble(wordsOf(reason));
    toast(`“${nameOf(picture)}” is no longer in your vault.`);
    this.#cursor.lose(picture);
  }

  /** Goes one step back: out of a field, the panel that covers the picture, full screen, the zoom, and then the viewer. */
  #escape() {
    const field = document.activeElement;
    if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) this.#dialog.focus();
    else if (this.#details.isOpen && matchMedia(NARROW).matches) this.#toggleDetails(false);
    else if (document.fullscreenElement) void document.exitFullscreen();
    else if (this.#stage.zoom.isZoomed) this.#stage.zoom.reset();
    else this.close();
  }

  /** @param {boolean} open */
  #toggleDetails(open) {
    const hadFocus = this.#details.toggle(open);
    this.#bar.press("details", open);
    if (hadFocus && this.isOpen) this.#bar.focus("details");
  }

  async #favour() {
    const { picture, index, total } = this.#cursor;
    if (!picture || picture.state === "trashed") return;
    this.#bar.show({ ...picture, favourite: !picture.favourite }, index, total);
    await this.#actions.setFavourite(picture, !picture.favourite).catch(tell);
    // Shown as it is now, also where the change was refused.
    this.#show(false);
  }

  /** @param {boolean} forGood */
  #remove(forGood) {
    const isTrashed = this.#cursor.picture?.state === "trashed";
    void this.#cursor.takeOut((picture) => (forGood || isTrashed ? this.#actions.removeForGood(picture) : this.#actions.remove(picture)));
  }

  /** @returns {Record<string, () => void>} by the names in viewer-keys.js and in data-do */
  #commands() {
    return {
      ...movesOf(this.#cursor, this.#stage.zoom),
      details: () => this.#toggleDetails(!this.#details.isOpen),
      "details-close": () => this.#toggleDetails(false),
      favourite: () => void this.#favour(),
      download: () => this.#bar.download(),
      remove: () => this.#remove(false),
      removeForGood: () => this.#remove(true),
      restore: () => void (this.#actions.restore && this.#cursor.takeOut(this.#actions.restore)),
      keys: showKeys,
      undo: undoNewest,
      escape: () => this.#escape(),
      close: () => this.close(),
    };
  }
}
