// Pictures that do not load while the grid is looked at: told once, with a way to try again, and retried by itself
// when the network is back or the server only was busy.

import { call } from "../base/api.js";
import { Refusal } from "../base/refusal.js";
import { toast } from "../base/toast.js";

/** @typedef {import("./photo-tile.js").Tiles} Tiles */

const SOON_MS = 2000;

export class LoadTrouble {
  #tiles;
  #asking = false;
  /** @type {HTMLElement | null} */
  #words = null;

  /** @param {Tiles} tiles */
  constructor(tiles) {
    this.#tiles = tiles;
    tiles.addEventListener("trouble", () => void this.#look());
    addEventListener("online", () => this.#again());
  }

  /** Neither an <img> nor a page of many tells why it failed, so the server is asked, once for all of them. */
  async #look() {
    if (this.#asking || this.#words?.isConnected) return;
    this.#asking = true;
    try {
      // Where the session has ended, this asks the person to sign in again.
      await call("GET", "/api/v1/session");
      // The server is well: it was busy, or this one thumbnail is damaged, which a few tries will show.
      setTimeout(() => this.#tiles.fillAll(), SOON_MS);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const action = { label: "Try again", run: () => this.#again() };
      this.#words = toast(`Some pictures could not be loaded. ${error.detail}`, { kind: "error", action });
    } finally {
      this.#asking = false;
    }
  }

  #again() {
    this.#words?.remove();
    this.#tiles.tryAgain();
  }
}
