// Numbers, sizes and times as people read them.

/** @typedef {import("./api.js").Picture} Picture */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/**
 * "3.4 MiB".
 * @param {number} count
 */
export function bytes(count) {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10));
  const value = count / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1).replace(".0", "")} ${UNITS[power]}`;
}

/**
 * "1,234".
 * @param {number} n
 */
export function number(n) {
  return n.toLocaleString("en");
}

/**
 * "1 picture", "1,234 pictures".
 * @param {number} n
 */
export function pictures(n) {
  return `${number(n)} picture${n === 1 ? "" : "s"}`;
}

/**
 * The picture's name, or words for a picture without one.
 * @param {Picture} picture
 */
export function nameOf(picture) {
  return picture.name.trim() || "Picture without a name";
}

const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
const MONTH = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
const DAY_AND_TIME = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: "UTC" });

/** @param {string} text */
function isDay(text) {
  return /^-?\d{4,6}-\d\d-\d\d$/.test(text);
}

/**
 * A section's key as a heading: a day in words, anything else as it is.
 * @param {string} key
 */
export function headingWords(key) {
  if (!isDay(key)) return key;
  const today = localDay(0);
  if (key === today) return "Today";
  if (key === localDay(-1)) return "Yesterday";
  return DAY.format(new Date(`${key}T00:00Z`));
}

/**
 * A section's key as the scrubber shows it: the month is enough.
 * @param {string} key
 */
export function placeWords(key) {
  return isDay(key) ? MONTH.format(new Date(`${key}T00:00Z`)) : key;
}

/**
 * When the picture was taken, by the camera's clock, or else uploaded.
 * @param {Picture} picture
 */
export function dayAndTime(picture) {
  return moment(picture.taken_local ?? localTime(new Date(picture.uploaded_at)));
}

/**
 * @param {string} local a wall-clock time: "2026-11-21T13:05:09"
 */
export function moment(local) {
  const at = new Date(`${local.slice(0, 19)}Z`);
  return Number.isNaN(at.getTime()) ? "" : DAY_AND_TIME.format(at);
}

/**
 * The time by this machine's clock, without a zone: "2026-11-21T13:05:09".
 * @param {Date} at
 */
export function localTime(at) {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** @param {number} days from today */
function localDay(days) {
  const at = new Date();
  at.setDate(at.getDate() + days);
  return localTime(at).slice(0, 10);
}
