// Files that another app shared with this one: the service worker holds them until the page asks.

import { ask } from "../base/ask.js";
import { pictures } from "../base/words.js";

// A worker that was stopped in between has lost its files and does not answer.
const LONGEST_WAIT_MS = 10_000;

/**
 * The shared files, if the person wants them. A foreign page can post files to the worker just as a phone does, and the
 * worker cannot tell the two apart: so nothing is added unasked.
 * @returns {Promise<File[]>}
 */
export async function sharedFiles() {
  if (!location.hash.startsWith("#shared")) return [];
  // The worker's scope is this address only (app.js), so it controls no page.
  const worker = (await navigator.serviceWorker?.getRegistration("/share-target"))?.active;
  if (!worker) return [];
  const files = await taken(worker);
  // So that reloading does not ask again.
  history.replaceState(history.state, "", location.pathname + location.search);
  if (files.length === 0) return [];
  const agreed = await ask({
    title: `Add ${pictures(files.length)} to your vault?`,
    text: "Shared with Image Vault by another app or page. If you did not share them just now, leave them out.",
    confirm: "Add",
  });
  return agreed ? files : [];
}

/**
 * @param {ServiceWorker} worker
 * @returns {Promise<File[]>}
 */
function taken(worker) {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(Array.isArray(data?.files) ? data.files : []);
    setTimeout(() => resolve([]), LONGEST_WAIT_MS);
    worker.postMessage({ type: "take-shared" }, [port2]);
  });
}
