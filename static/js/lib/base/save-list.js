// Saving a short text that the page itself has made as a file.

/**
 * @param {string} filename
 * @param {string[]} lines
 */
export function saveList(filename, lines) {
  const text = new Blob([lines.map((line) => `${line}\n`).join("")], { type: "text/plain;charset=utf-8" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(text);
  link.download = filename;
  link.click();
  // The browser has read the blob by then; a minute is for slow "Save as" dialogs.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
