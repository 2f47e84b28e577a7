// Picking or dropping pictures sends them at once, and each appears on the page when it is kept.

import { Arrivals } from "../lib/arrivals.js";
import { clone, need } from "../lib/dom.js";
import { droppedFiles } from "../lib/dropped-files.js";
import { UploadBatch } from "../lib/upload-batch.js";
import { UploadTray } from "../lib/upload-tray.js";

/** @param {HTMLElement} form */
export function attach(form) {
  const input = need(form, "input[type=file]", HTMLInputElement);
  const csrfToken = need(document, "meta[name=csrf-token]", HTMLMetaElement).content;

  const arrivals = new Arrivals();
  const batch = new UploadBatch(csrfToken, (upload) => {
    tray.changed(upload);
    if (upload.state === "done" && upload.image) arrivals.add(upload.image);
  });
  const tray = new UploadTray(batch);

  /** @param {File[]} files */
  const send = (files) => {
    if (files.length === 0) return;
    tray.add(batch.add(files));
    batch.start();
  };

  input.addEventListener("change", () => {
    send([...(input.files ?? [])]);
    // So that the plain form holds nothing, and the same file can be picked again.
    input.value = "";
  });
  onDrop(send);
  addEventListener("beforeunload", (event) => {
    if (batch.busy) event.preventDefault();
  });
}

/**
 * Files may be dropped anywhere on the page.
 * @param {(files: File[]) => void} send
 */
function onDrop(send) {
  const overlay = clone("drop");
  /** @param {DragEvent} event */
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;

  addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    if (!overlay.isConnected) document.body.append(overlay);
  });
  // Only the drag that leaves the window has nowhere to go.
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
