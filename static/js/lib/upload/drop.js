// Files may be dropped anywhere on the page; an overlay shows where they will go.

import { clone } from "../base/dom.js";
import { droppedFiles } from "./dropped-files.js";

// A live drag fires "dragover" twice a second or more (HTML, "drag and drop processing model"). One that ends elsewhere may
// end without an event.
const DRAG_IS_OVER_MS = 1500;

/** @param {(files: File[]) => void} send */
export function onDrop(send) {
  const overlay = clone("drop");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let ending;
  /** @param {DragEvent} event */
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;

  addEventListener("dragover", (event) => {
    if (!event.dataTransfer || !holdsFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    clearTimeout(ending);
    ending = setTimeout(() => overlay.remove(), DRAG_IS_OVER_MS);
    if (overlay.isConnected) return;
    document.body.append(overlay);
    // A popover is above dialogs, too.
    overlay.showPopover?.();
  });
  // Only a drag that leaves the window has no related target.
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) overlay.remove();
  });
  addEventListener("drop", (event) => {
    overlay.remove();
    if (!event.dataTransfer || !holdsFiles(event)) return;
    event.preventDefault();
    void droppedFiles(event.dataTransfer).then(send);
  });
}
