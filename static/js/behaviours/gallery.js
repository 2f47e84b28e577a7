// The dashboard: turns the plain grid of a page into one that holds any number of pictures.

import { Actions } from "../lib/actions.js";
import { Album } from "../lib/album.js";
import { announce } from "../lib/announce.js";
import { call, Refusal } from "../lib/api.js";
import { clone, need } from "../lib/dom.js";
import { GridControl } from "../lib/grid-control.js";
import { attachGridKeys, attachPageKeys } from "../lib/grid-keys.js";
import { attachPointer } from "../lib/grid-pointer.js";
import { HoverPreview } from "../lib/hover-preview.js";
import { showKeys } from "../lib/keys-help.js";
import { attachSearch } from "../lib/live-search.js";
import { PhotoGrid } from "../lib/photo-grid.js";
import { Scrubber } from "../lib/scrubber.js";
import { SelectBar } from "../lib/select-bar.js";
import { Selection } from "../lib/selection.js";
import { toast } from "../lib/toast.js";
import { Viewer } from "../lib/viewer.js";
import { bytes, pictures } from "../lib/words.js";

/** @typedef {import("../lib/album.js").Query} Query */
/** @typedef {import("../lib/api.js").Picture} Picture */

/** @param {HTMLElement} collection says by its data what it shows */
export async function attach(collection) {
  const { q = "", sort = "-uploaded_at", state, favourites } = collection.dataset;
  /** @type {Query} */
  const query = { q, sort, state: state === "trashed" ? "trashed" : "active", favourites: favourites === "on" };
  const trash = query.state === "trashed";
  const album = new Album(query);
  const selection = new Selection(album);
  const actions = new Actions(album);

  const plain = need(collection, ".grid", HTMLElement);
  const photos = clone("photos");
  const grid = new PhotoGrid(photos, album, selection);
  const viewer = new Viewer(album, {
    remove: (picture) => (trash ? actions.deleteForGood(Actions.one(picture)).then(() => {}) : actions.trash(Actions.one(picture))),
    removeForGood: async (picture) => void (await actions.deleteForGood(Actions.one(picture))),
    restore: trash ? (picture) => actions.restore(Actions.one(picture)) : undefined,
    setFavourite: async (picture, favourite) => album.replace(await call("PATCH", `/api/v1/images/${picture.id}`, { favourite })),
    closed: (index) => grid.focus(index),
  });
  const control = new GridControl(album, grid, selection, (index) => viewer.open(index));

  /** @param {string} action */
  const act = async (action) => {
    const focused = document.activeElement?.closest(".photo") ? album.peek(grid.current) : null;
    const choice = selection.count > 0 ? Actions.chosen(selection) : focused ? Actions.one(focused) : null;
    if (action === "clear") return selection.clear();
    if (!choice) return;
    const on = photos.contains(document.activeElement);
    switch (action) {
      case "download":
        return actions.download(choice);
      case "restore":
        await actions.restore(choice);
        break;
      case "favourite": {
        const chosen = choice.ids.map((id) => album.peek(album.indexOf(id)));
        await actions.favourite(choice, !(chosen.length > 0 && chosen.every((picture) => picture?.favourite)));
        break;
      }
      case "delete":
        if (!trash) {
          selection.clear();
          await actions.trash(choice);
          break;
        }
      // What is in the trash already goes for good.
      case "delete-for-good":
        if (!(await actions.deleteForGood(choice))) return;
        break;
      default:
        return;
    }
    selection.clear();
    if (on && album.total > 0) grid.focus(grid.current);
  };

  new SelectBar(collection, album, selection, (action) => void act(action));
  attachPointer(photos, grid, control);
  attachGridKeys(photos, album, grid, control);
  attachPageKeys(control, { act: (action) => void act(action), help: showKeys });
  for (const button of document.querySelectorAll("[data-keys-help]")) button.addEventListener("click", showKeys);
  new HoverPreview(photos, (element) => album.peek(grid.indexAt(element)));
  attachSearch(album, () => actions.look(), (words) => announce(words ? `${pictures(album.total)} match` : pictures(album.total)));
  const page = need(collection, "[data-select=page]", HTMLButtonElement);
  page.addEventListener("click", () => selection.setAll());
  album.addEventListener("shape", () => tellTotals(collection, album));
  album.addEventListener("shape", () => (page.hidden = album.total === 0));
  refreshOnArrival(album, () => void actions.look());

  try {
    await album.refresh();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // The plain grid stays: better than nothing.
    toast(error.detail, { kind: "error", action: { label: "Try again", run: () => location.reload() } });
    return;
  }
  plain.replaceWith(photos);
  collection.querySelector(".pager")?.remove();
  const scrubber = clone("scrubber");
  collection.append(scrubber);
  new Scrubber(scrubber, photos, album, grid);
  collection.dataset.gallery = "ready";
}

/**
 * @param {HTMLElement} collection
 * @param {Album} album
 */
function tellTotals(collection, album) {
  const { q, favourites } = album.query;
  for (const [name, shown] of Object.entries({ empty: album.total === 0 && !q && !favourites, "search-empty": album.total === 0 && (q !== "" || favourites) })) {
    const block = collection.querySelector(`[data-${name}]`);
    if (block instanceof HTMLElement) block.hidden = !shown;
  }
  for (const words of collection.querySelectorAll("[data-query]")) words.textContent = q ? `“${q}”` : "";
  const count = collection.querySelector("[data-count]");
  if (count) count.textContent = pictures(album.total);
  const storage = collection.querySelector("[data-storage]");
  if (storage) storage.textContent = ` · ${bytes(album.bytes)}`;
}

/**
 * New pictures come in while one looks on: the first at once, and then not for each of a thousand. A large vault's shape
 * is asked for less often.
 * @param {Album} album
 * @param {() => void} look
 */
function refreshOnArrival(album, look) {
  let resting = false;
  let missed = false;
  const arrived = () => {
    missed = resting;
    if (resting) return;
    resting = true;
    look();
    setTimeout(
      () => {
        resting = false;
        if (missed) arrived();
      },
      900 + album.total / 20,
    );
  };
  document.addEventListener("pictures-added", arrived);
}
