// Scroll anchoring: keeps the pictures in sight where they are while the list changes around them.

import { rowAt, rowOf } from "./justified.js";

/** @typedef {import("./justified.js").Row} Row */
/** @typedef {{id: string, distance: number}} Seen A picture, and how far below the window's top its row begins. */

/**
 * The first pictures of the rows in sight; none while the list is at its beginning, which stays there.
 * @param {Row[]} rows
 * @param {number} y of the window's top in the list
 * @param {(index: number) => string} idOf "" where it is not known
 * @returns {Seen[]}
 */
export function seenFrom(rows, y, idOf) {
  if (y <= 0 || rows.length === 0) return [];
  const inSight = rows.slice(rowAt(rows, y), rowAt(rows, y + innerHeight) + 1);
  return inSight.map((row) => ({ id: idOf(row.from), distance: row.top - y })).filter(({ id }) => id !== "");
}

/**
 * How far to scroll so that the first of these pictures that is still in the list is where it was.
 * @param {Seen[]} seen
 * @param {Row[]} rows as they are now
 * @param {number} y
 * @param {(id: string) => number} indexOf -1 for a picture that is gone
 */
export function wayBackTo(seen, rows, y, indexOf) {
  const still = seen.find(({ id }) => indexOf(id) >= 0);
  return still ? rows[rowOf(rows, indexOf(still.id))].top - y - still.distance : 0;
}
