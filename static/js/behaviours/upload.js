// Picking, dropping, pasting or sharing pictures sends them at once, and each appears on the page once it is stored.

import { Arrivals } from "../lib/upload/arrivals.js";
import { need } from "../lib/base/dom.js";
import { chosenFiles } from "../lib/upload/dropped-files.js";
import { sharedFiles } from "../lib/upload/shared-files.js";
import { UploadBatch } from "../lib/upload/batch.js";
import { onDrop } from "../lib/upload/drop.js";
import { onPaste } from "../lib/upload/paste.js";
import { UploadTray } from "../lib/upload/tray.js";

/** @param {HTMLElement} form */
export function attach(form) {
  const arrivals = new Arrivals();
  const batch = new UploadBatch((upload) => {
    tray.changed();
    if (upload?.state === "done" && upload.image) arrivals.add(upload.image);
    else if (upload?.state === "duplicate") arrivals.refresh();
  });
  const tray = new UploadTray(batch);

  /** @param {File[]} files */
  const send = (files) => {
    if (files.length > 0) batch.add(files);
  };

  const input = need(form, "input[type=file]", HTMLInputElement);
  const sendPicked = () => {
    send([...(input.files ?? [])]);
    // Emptied, so that the plain form holds no file, and the same file can be picked again.
    input.value = "";
  };
  input.addEventListener("change", sendPicked);
  // Files may have been picked before this script ran.
  sendPicked();
  offerFolders(form, send);
  onDrop(send);
  onPaste(send);
  void sharedFiles().then(send);
  addEventListener("beforeunload", (event) => {
    if (batch.ledger.busy) event.preventDefault();
  });
}

/**
 * Not every browser has a picker for folders; on some phones it is there and does nothing.
 * @param {HTMLElement} form
 * @param {(files: File[]) => void} send
 */
function offerFolders(form, send) {
  const menu = need(form, "[data-upload=menu]", HTMLDetailsElement);
  // Not in the document, so that the form without scripts has one input only.
  const picker = document.createElement("input");
  if (!("webkitdirectory" in picker)) return;
  picker.type = "file";
  picker.webkitdirectory = true;
  picker.addEventListener("change", () => {
    send(picker.files ? chosenFiles(picker.files) : []);
    picker.value = "";
  });
  menu.hidden = false;
  need(menu, "button", HTMLButtonElement).addEventListener("click", () => {
    menu.open = false;
    need(menu, "summary", HTMLElement).focus();
    picker.click();
  });
}
