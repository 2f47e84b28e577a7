// The facts about a picture, in words: for the viewer's details and the hover preview.

import { bytes, dayAndTime, localTime, moment } from "../base/words.js";

/** @typedef {import("../base/api.js").Picture} Picture */

/**
 * @typedef {object} Fact
 * @property {string} term
 * @property {string[]} lines
 * @property {boolean} [copy] whether people want it in the clipboard
 */

/** @param {Picture} picture */
export function dimensions(picture) {
  return `${picture.width} × ${picture.height}`;
}

/**
 * All facts, in the order in which people ask for them.
 * @param {Picture} picture
 * @returns {Fact[]}
 */
export function factsOf(picture) {
  /** @type {Fact[]} */
  const facts = [];
  /** @type {(term: string, words: string | null | undefined | false, copy?: boolean) => void} */
  const add = (term, words, copy) => void (words && facts.push({ term, lines: [words], copy }));

  const trashed = picture.state === "trashed";
  add("Taken", picture.taken_local && dayAndTime(picture));
  add("Camera", picture.camera);
  add("Place", picture.location && placeOf(picture.location), true);
  add("Dimensions", dimensions(picture));
  add("Size", bytes(picture.size));
  add("Type", picture.content_type);
  add("Added", here(picture.uploaded_at));
  add("In the trash since", picture.trashed_at && here(picture.trashed_at));
  // In the trash they cannot be edited, so no field shows them.
  add("Caption", trashed && picture.caption);
  add("Tags", trashed && picture.tags.join(", "));
  if (picture.also_named.length > 0) facts.push({ term: "Also named", lines: picture.also_named });
  add("SHA-256", picture.sha256, true);
  return facts;
}

/** @param {string} time RFC 3339 */
function here(time) {
  return moment(localTime(new Date(time)));
}

/** @param {{latitude: number, longitude: number}} location */
function placeOf({ latitude, longitude }) {
  return `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`;
}
