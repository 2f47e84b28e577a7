// The files of a drop or of a chosen folder. Folders are read recursively; files that systems hide in them are left out.

const HIDDEN = /^\.|^(thumbs\.db|desktop\.ini)$/i;

/** @type {WeakMap<File, string>} */
const paths = new WeakMap();
/** @type {WeakSet<File>} */
const unreadable = new WeakSet();

/**
 * The file's path within the folder that was dropped or chosen; just its name where that is not known.
 * @param {File} file
 */
export function pathOf(file) {
  return paths.get(file) || file.webkitRelativePath || file.name;
}

/**
 * Whether the file only stands in for a dropped file or folder that could not be opened, so that people are told.
 * @param {File} file
 */
export function isUnreadable(file) {
  return unreadable.has(file);
}

/**
 * The files of a drop. Must be called during the drop event: its items are gone afterwards.
 * @param {DataTransfer} transfer
 * @returns {Promise<File[]>}
 */
export async function droppedFiles(transfer) {
  const entries = [...transfer.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry());
  if (!entries.some((entry) => entry?.isDirectory)) return [...transfer.files];
  const found = await Promise.all(entries.filter((entry) => entry !== null).map(filesOf));
  return found.flat();
}

/** @param {FileList} chosen by a folder's picker */
export function chosenFiles(chosen) {
  return [...chosen].filter((file) => !pathOf(file).split("/").some((part) => HIDDEN.test(part)));
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<File[]>}
 */
async function filesOf(entry) {
  if (HIDDEN.test(entry.name)) return [];
  if (entry.isFile) return fileOf(/** @type {FileSystemFileEntry} */ (entry));
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {File[]} */
  const files = [];
  for (;;) {
    /** @type {FileSystemEntry[] | null} */
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve(null)));
    if (some === null) return [...files, standInFor(entry)];
    // A browser hands out a folder in portions; an empty one is the end.
    if (some.length === 0) return files;
    for (const inner of await Promise.all(some.map(filesOf))) for (const file of inner) files.push(file);
  }
}

/**
 * @param {FileSystemFileEntry} entry
 * @returns {Promise<File[]>}
 */
function fileOf(entry) {
  return new Promise((resolve) => {
    const found = (/** @type {File} */ file) => {
      paths.set(file, pathIn(entry));
      resolve([file]);
    };
    entry.file(found, () => resolve([standInFor(entry)]));
  });
}

/** @param {FileSystemEntry} entry that cannot be opened */
function standInFor(entry) {
  const file = new File([], entry.name);
  paths.set(file, pathIn(entry));
  unreadable.add(file);
  return file;
}

/** @param {FileSystemEntry} entry */
function pathIn({ fullPath }) {
  return fullPath.replace(/^\//, "");
}
