// The dashboard: turns the plain grid of a page into one that holds any number of pictures.

import { Actions } from "../lib/grid/actions.js";
import { announce } from "../lib/base/announce.js";
import { call } from "../lib/base/api.js";
import { clone, need } from "../lib/base/dom.js";
import { GridControl } from "../lib/grid/control.js";
import { attachGridKeys, attachPageKeys } from "../lib/grid/keys.js";
import { attachPointer } from "../lib/grid/pointer.js";
import { HoverPreview } from "../lib/viewer/hover-preview.js";
import { showKeys } from "../lib/base/keys-help.js";
import { attachSearch } from "../lib/grid/live-search.js";
import { LoadTrouble } from "../lib/grid/load-trouble.js";
import { PhotoGrid } from "../lib/grid/photo-grid.js";
import { Tiles } from "../lib/grid/photo-tile.js";
import { PictureList } from "../lib/grid/picture-list.js";
import { Refusal } from "../lib/base/refusal.js";
import { Scrubber } from "../lib/grid/scrubber.js";
import { SelectBar } from "../lib/grid/select-bar.js";
import { Selection } from "../lib/grid/selection.js";
import { toast } from "../lib/base/toast.js";
import { Viewer } from "../lib/viewer/viewer.js";
import { bytes, pictures } from "../lib/base/words.js";

/** @typedef {import("../lib/grid/picture-list.js").Query} Query */
/** @typedef {import("../lib/base/api.js").Picture} Picture */

/** @param {HTMLElement} collection says by its data what it shows */
export async function attach(collection) {
  const { q = "", sort = "-uploaded_at", state, favourites } = collection.dataset;
  /** @type {Query} */
  const query = { q, sort, state: state === "trashed" ? "trashed" : "active", favourites: favourites === "on" };
  const trash = query.state === "trashed";
  const list = new PictureList(query);
  const selection = new Selection(list);
  const actions = new Actions(list);

  const photos = clone("photos");
  const tiles = new Tiles(list, selection);
  const grid = new PhotoGrid(photos, list, tiles);
  const viewer = new Viewer(list, {
    remove: async (picture) => void (await (trash ? actions.deleteForGood(Actions.one(picture)) : actions.trash(Actions.one(picture)))),
    removeForGood: async (picture) => void (await actions.deleteForGood(Actions.one(picture))),
    restore: trash ? async (picture) => void (await actions.restore(Actions.one(picture))) : undefined,
    setFavourite: async (picture, favourite) => list.replace(await call("PATCH", `/api/v1/images/${picture.id}`, { favourite })),
    closed: (index) => grid.focus(index),
  });
  const control = new GridControl(list, grid, selection, (index) => viewer.open(index));
  // From here on, so that no picture is missed that is added while the list is loading.
  const lookOnArrival = refreshOnArrival(list, () => void actions.look());

  try {
    await list.refresh();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // The plain grid and its form stay: better than nothing.
    toast(error.detail, { kind: "error", action: { label: "Try again", run: () => location.reload() } });
    return;
  }
  /** @param {string} action */
  const act = async (action) => {
    const inBar = document.activeElement?.closest(".select-bar") !== null;
    const focused = document.activeElement?.closest(".photo") ? list.peek(grid.current) : null;
    const choice = selection.count > 0 ? Actions.chosen(selection) : focused ? Actions.one(focused) : null;
    const done = action === "clear" || (choice !== null && (await perform(action, choice)));
    if (done) selection.clear();
    // The bar disappears with the selection, and the focus would be lost with the bar.
    if (done && inBar && list.total > 0) grid.focus(grid.current);
  };
  /**
   * @param {string} action
   * @param {import("../lib/grid/actions.js").Choice} choice
   * @returns {Promise<boolean>} whether the selection is done with
   */
  const perform = async (action, choice) => {
    if (action === "restore") return actions.restore(choice);
    if (action === "delete" && !trash) return actions.trash(choice);
    // Pictures that are in the trash already are deleted for good.
    if (action === "delete" || action === "delete-for-good") return actions.deleteForGood(choice);
    if (action === "download") await actions.download(choice);
    if (action !== "favourite" || trash) return false;
    const chosen = choice.ids.map((id) => list.peek(list.indexOf(id)));
    // Where all of them are favourites, the mark is removed.
    const marked = query.favourites || (chosen.length > 0 && chosen.every((picture) => picture?.favourite));
    return actions.favourite(choice, !marked);
  };

  const bar = new SelectBar(collection, list, selection, (action) => void act(action));
  attachPointer(photos, grid, control);
  attachGridKeys(photos, list, grid, control);
  attachPageKeys(control, { act: (action) => void act(action), help: showKeys });
  for (const button of document.querySelectorAll("[data-keys-help]")) button.addEventListener("click", showKeys);
  new HoverPreview(photos, (element) => list.peek(grid.indexAt(element)));
  attachSearch(list, (query) => (selection.clear(), actions.look(query)), (words) => announce(words ? `${pictures(list.total)} found` : pictures(list.total)));
  const page = need(collection, "[data-select=page]", HTMLButtonElement);
  page.addEventListener("click", () => {
    selection.setAll();
    bar.focus();
  });
  const tell = () => {
    tellTotals(collection, list);
    page.hidden = list.total === 0;
  };
  list.addEventListener("shape", tell);
  list.addEventListener("removed", (event) => {
    if (event instanceof CustomEvent) document.dispatchEvent(new CustomEvent("pictures-removed", { detail: { ids: event.detail } }));
  });
  tell();
  list.addEventListener("outdated", () => void actions.look());
  new LoadTrouble(tiles);

  need(collection, ".grid", HTMLElement).replaceWith(photos);
  collection.querySelector(".pager")?.remove();
  const scrubber = clone("scrubber");
  collection.append(scrubber);
  new Scrubber(scrubber, photos, list, grid);
  grid.layOut();
  collection.dataset.gallery = "ready";
  lookOnArrival();
}

/**
 * @param {HTMLElement} collection
 * @param {PictureList} list
 */
function tellTotals(collection, list) {
  const { q, favourites } = list.query;
  for (const [name, shown] of Object.entries({ empty: list.total === 0 && !q && !favourites, "search-empty": list.total === 0 && (q !== "" || favourites) })) {
    const block = collection.querySelector(`[data-${name}]`);
    if (block instanceof HTMLElement) block.hidden = !shown;
  }
  for (const words of collection.querySelectorAll("[data-query]")) words.textContent = q ? `“${q}”` : "";
  const count = collection.querySelector("[data-count]");
  if (count) count.textContent = pictures(list.total);
  const storage = collection.querySelector("[data-storage]");
  if (storage) storage.textContent = ` · ${bytes(list.bytes)}`;
}

/**
 * Refreshes the list while uploads arrive: at once for the first, and then not for each of a thousand. A large list's shape
 * is asked for less often.
 * @param {PictureList} list
 * @param {() => void} look
 * @returns {() => void} begins, also with pictures that arrived before
 */
function refreshOnArrival(list, look) {
  let resting = true;
  let missed = false;
  const arrived = () => {
    missed = resting;
    if (resting) return;
    resting = true;
    look();
    setTimeout(wake, 900 + list.total / 20);
  };
  const wake = () => {
    resting = false;
    if (missed) arrived();
  };
  document.addEventListener("pictures-added", arrived);
  return wake;
}
