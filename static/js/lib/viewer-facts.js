// What is known about a picture, in words: for the viewer's details and the hover preview.

import { bytes, dayAndTime } from "./words.js";

/** @typedef {import("./api.js").Picture} Picture */

/**
 * @typedef {object} Fact
 * @property {string} term
 * @property {string[]} lines
 * @property {boolean} [copy] whether people want it in the clipboard
 */

const MOMENT = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" });

/** @param {Picture} picture */
export function dimensions(picture) {
  return `${picture.width} × ${picture.height}`;
}

/**
 * Everything, in the order in which people ask for it.
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
  add("Added", MOMENT.format(new Date(picture.uploaded_at)));
  add("In the trash since", picture.trashed_at && MOMENT.format(new Date(picture.trashed_at)));
  // Where they cannot be edited, they are not in a field.
  add("Caption", trashed && picture.caption);
  add("Tags", trashed && picture.tags.join(", "));
  if (picture.also_named.length > 0) facts.push({ term: "Also named", lines: picture.also_named });
  add("SHA-256", picture.sha256, true);
  return facts;
}

/** @param {{latitude: number, longitude: number}} location */
function placeOf({ latitude, longitude }) {
  return `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`;
}
