// A justified layout: rows of one height each, filled to the edge, under headings. Arithmetic only.

/**
 * @typedef {object} Section
 * @property {string} key
 * @property {number} count
 *
 * @typedef {object} Row Pictures `from` (included) to `to` (not), side by side; a heading where both are equal.
 * @property {number} top in pixels from the list's beginning
 * @property {number} height without the gap below
 * @property {number} from
 * @property {number} to
 * @property {number} section
 * @property {number} scale pixels of width a picture gets for each unit of its ratio
 *
 * @typedef {object} Measures
 * @property {number} width of the list in pixels
 * @property {number} rowHeight that rows come close to
 * @property {number} gap between rows, and between the pictures of a row
 * @property {number} heading height of a section's heading; 0 for none
 */

// A picture is never drawn wider or narrower than this, so that a panorama leaves room and a strip can be pressed.
const WIDEST = 3.4;
const NARROWEST = 0.45;
// A row that is not full stays at the height of the others rather than being blown up.
const FULL_ENOUGH = 0.82;
// Overscan beyond both edges of the window, so that a flick shows no hole; less where that would be too many pictures.
const BEYOND_PX = 500;
const MANY = 200;

/**
 * Width to height, from the byte in which the server sends it.
 * @param {number} byte
 */
export function ratioOf(byte) {
  return Math.min(WIDEST, Math.max(NARROWEST, 2 ** ((byte - 128) / 32)));
}

/**
 * The measures for three or four pictures side by side on a phone, more and larger ones on a wall.
 * @param {number} width of the list
 * @param {number} screen its width
 * @returns {Measures}
 */
export function measuresFor(width, screen) {
  const rowHeight = Math.round(Math.min(300, Math.max(96, 70 + screen * 0.095)));
  return { width, rowHeight, gap: screen < 768 ? 3 : 6, heading: 56 };
}

/**
 * @param {Section[]} sections
 * @param {Uint8Array} ratios one byte a picture
 * @param {Measures} measures
 * @returns {{rows: Row[], height: number}}
 */
export function layOut(sections, ratios, { width, rowHeight, gap, heading }) {
  /** @type {Row[]} */
  const rows = [];
  let top = 0;
  let next = 0;
  for (const [section, { count }] of sections.entries()) {
    if (heading > 0) {
      rows.push({ top, height: heading, from: next, to: next, section, scale: 0 });
      top += heading;
    }
    const end = next + count;
    while (next < end) {
      const row = fillRow(ratios, next, end, width, rowHeight, gap);
      rows.push({ top, height: row.height, from: next, to: row.to, section, scale: row.height });
      top += row.height + gap;
      next = row.to;
    }
  }
  return { rows, height: top };
}

/**
 * Fills a row with as many pictures as bring it closest to the wanted height.
 * @param {Uint8Array} ratios
 * @param {number} from
 * @param {number} end
 * @param {number} width
 * @param {number} wanted
 * @param {number} gap
 */
function fillRow(ratios, from, end, width, wanted, gap) {
  let sum = 0;
  for (let to = from; to < end; to += 1) {
    const more = sum + ratioOf(ratios[to]);
    const heightWith = (width - (to - from) * gap) / more;
    if (heightWith < wanted && to > from) {
      const heightWithout = (width - (to - from - 1) * gap) / sum;
      // The height that is closer; the picture that does not fit begins the next row.
      if (wanted / heightWith > heightWithout / wanted) return { to, height: heightWithout };
      return { to: to + 1, height: heightWith };
    }
    if (heightWith < wanted) return { to: to + 1, height: heightWith };
    sum = more;
  }
  const full = (width - (end - from - 1) * gap) / sum;
  return { to: end, height: full * FULL_ENOUGH <= wanted ? full : wanted };
}

/**
 * The row at this height, by binary search; the last row where `y` is beyond the end.
 * @param {Row[]} rows
 * @param {number} y
 */
export function rowAt(rows, y) {
  let [low, high] = [0, rows.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (rows[middle].top <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * The first and the last row to draw: those in sight, and some beyond.
 * @param {Row[]} rows
 * @param {number} y
 * @param {number} screen its height
 * @returns {[number, number]}
 */
export function rowsAround(rows, y, screen) {
  for (let beyond = BEYOND_PX; ; beyond -= 100) {
    const [first, last] = [rowAt(rows, Math.max(0, y - beyond)), rowAt(rows, y + screen + beyond)];
    if (beyond <= 0 || rows[last].to - rows[first].from <= MANY) return [first, last];
  }
}

/**
 * The row of pictures that holds this one.
 * @param {Row[]} rows
 * @param {number} index
 */
export function rowOf(rows, index) {
  let [low, high] = [0, rows.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].to > index) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * The picture above or below another: the one whose middle is closest.
 * @param {Row[]} rows
 * @param {Uint8Array} ratios
 * @param {number} index
 * @param {number} steps rows downwards, or upwards where negative; past the end it is the first or last row
 * @returns {number}
 */
export function beside(rows, ratios, index, steps) {
  const start = rowOf(rows, index);
  if (!rows[start]) return index;
  let goal = start;
  const direction = Math.sign(steps);
  for (let at = start + direction, left = Math.abs(steps); left > 0 && rows[at]; at += direction) {
    if (rows[at].from === rows[at].to) continue;
    goal = at;
    left -= 1;
  }
  const middle = middles(rows[start], ratios)[index - rows[start].from];
  const distances = middles(rows[goal], ratios).map((other) => Math.abs(other - middle));
  return goal === start ? index : rows[goal].from + distances.indexOf(Math.min(...distances));
}

/**
 * @param {Row} row
 * @param {Uint8Array} ratios
 */
function middles(row, ratios) {
  let left = 0;
  return Array.from({ length: row.to - row.from }, (_, at) => {
    const width = ratioOf(ratios[row.from + at]) * row.scale;
    left += width;
    return left - width / 2;
  });
}
