// Pictures from the clipboard.

import { isTyping } from "./typing.js";
import { localTime } from "./words.js";

// What browsers call a picture that was copied out of a page or a screen: it has no name of its own.
const NAMELESS = /^image\.(\w+)$/i;

/** @param {(files: File[]) => void} send */
export function onPaste(send) {
  addEventListener("paste", (event) => {
    const clipboard = event.clipboardData;
    if (!clipboard || clipboard.files.length === 0) return;
    // Text that comes with a drawing of itself belongs into the field it is pasted into.
    if (isTyping(event.target) && clipboard.types.some((type) => type.startsWith("text/"))) return;
    event.preventDefault();
    send([...clipboard.files].map((file, i) => named(file, i)));
  });
}

/**
 * @param {File} file
 * @param {number} i which of those that were pasted together
 */
function named(file, i) {
  const ending = NAMELESS.exec(file.name)?.[1];
  if (!ending) return file;
  const more = i > 0 ? ` (${i + 1})` : "";
  // Sorts by time, and may be a file's name anywhere.
  const now = localTime(new Date()).replace("T", " ").replaceAll(":", ".");
  return new File([file], `Pasted ${now}${more}.${ending}`, { type: file.type, lastModified: file.lastModified });
}
