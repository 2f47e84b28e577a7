// Pictures from the clipboard.

import { isTyping } from "../base/typing.js";
import { localTime } from "../base/words.js";

// The name that browsers give a picture that was copied out of a page or a screen: it has none of its own.
const NAMELESS = /^image\.(\w+)$/i;

/** @param {(files: File[]) => void} send */
export function onPaste(send) {
  addEventListener("paste", (event) => {
    const clipboard = event.clipboardData;
    if (!clipboard || clipboard.files.length === 0) return;
    // Text that comes with a picture of itself belongs into the field it is pasted into.
    if (isTyping(event.target) && clipboard.types.some((type) => type.startsWith("text/"))) return;
    event.preventDefault();
    send([...clipboard.files].map((file, i) => named(file, i)));
  });
}

/**
 * @param {File} file
 * @param {number} i index among the files that were pasted together
 */
function named(file, i) {
  const ending = NAMELESS.exec(file.name)?.[1];
  if (!ending) return file;
  const more = i > 0 ? ` (${i + 1})` : "";
  // The name sorts by time, and is a valid file name on every system.
  const now = localTime(new Date()).replace("T", " ").replaceAll(":", ".");
  return new File([file], `Pasted ${now}${more}.${ending}`, { type: file.type, lastModified: file.lastModified });
}
