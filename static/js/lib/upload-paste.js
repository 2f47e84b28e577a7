// Pictures from the clipboard.

// What browsers call a picture that was copied out of a page or a screen: it has no name of its own.
const NAMELESS = /^image\.(\w+)$/i;

/** @param {(files: File[]) => void} send */
export function onPaste(send) {
  addEventListener("paste", (event) => {
    const clipboard = event.clipboardData;
    if (!clipboard || clipboard.files.length === 0) return;
    // Text that comes with a drawing of itself belongs into the field it is pasted into.
    if (isEditable(event.target) && clipboard.types.some((type) => type.startsWith("text/"))) return;
    event.preventDefault();
    send([...clipboard.files].map((file, i) => named(file, i)));
  });
}

/** @param {EventTarget | null} target */
function isEditable(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea"));
}

/**
 * @param {File} file
 * @param {number} i which of those that were pasted together
 */
function named(file, i) {
  const ending = NAMELESS.exec(file.name)?.[1];
  if (!ending) return file;
  const more = i > 0 ? ` (${i + 1})` : "";
  return new File([file], `Pasted ${localTime(new Date())}${more}.${ending}`, { type: file.type, lastModified: file.lastModified });
}

/**
 * "2026-11-21 13.05.09": sorts by time, and may be a file's name anywhere.
 * @param {Date} at
 */
function localTime(at) {
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(".")}`;
}
