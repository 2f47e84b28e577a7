// Draws the placeholder that comes with a picture: some 25 bytes of cosine coefficients.
// The format is ThumbHash by Evan Wallace, <https://evanw.github.io/thumbhash/>.

const SIDE = 32;

/**
 * @param {string} base64
 * @returns {HTMLCanvasElement | null} null where the hash is too short to be one
 */
export function placeholder(base64) {
  const hash = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  if (hash.length < 5) return null;
  const { width, height, pixels } = decode(hash);
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")?.putImageData(new ImageData(pixels, width, height), 0, 0);
  return canvas;
}

/**
 * Reads the header's bits as the format's description has them.
 * @param {Uint8Array} hash
 */
function decode(hash) {
  const header = hash[0] | (hash[1] << 8) | (hash[2] << 16);
  const rest = hash[3] | (hash[4] << 8);
  const hasAlpha = header >> 23 !== 0;
  const landscape = rest >> 15 !== 0;
  const most = hasAlpha ? 5 : 7;
  const few = Math.max(3, rest & 7);
  const [lx, ly] = landscape ? [most, few] : [few, most];
  const flat = { l: (header & 63) / 63, p: ((header >> 6) & 63) / 31.5 - 1, q: ((header >> 12) & 63) / 31.5 - 1 };
  const scale = { l: ((header >> 18) & 31) / 31, p: ((rest >> 3) & 63) / 63, q: ((rest >> 9) & 63) / 63 };

  let nibble = (hasAlpha ? 6 : 5) * 2;
  const next = () => {
    const byte = hash[nibble >> 1] ?? 0;
    const value = nibble & 1 ? byte >> 4 : byte & 15;
    nibble += 1;
    return value / 7.5 - 1;
  };
  /** @param {number} nx @param {number} ny @param {number} by */
  const channel = (nx, ny, by) => {
    const factors = [];
    for (let y = 0; y < ny; y += 1) for (let x = y ? 0 : 1; x * ny < nx * (ny - y); x += 1) factors.push({ x, y, value: next() * by });
    return factors;
  };
  const l = channel(lx, ly, scale.l);
  const p = channel(3, 3, scale.p * 1.25);
  const q = channel(3, 3, scale.q * 1.25);

  const ratio = lx / ly;
  const width = Math.max(1, Math.round(ratio > 1 ? SIDE : SIDE * ratio));
  const height = Math.max(1, Math.round(ratio > 1 ? SIDE / ratio : SIDE));
  const pixels = new Uint8ClampedArray(width * height * 4);
  const cosX = cosines(width);
  const cosY = cosines(height);
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 4) {
      /** @param {number} start @param {{x: number, y: number, value: number}[]} factors */
      const sum = (start, factors) => factors.reduce((total, f) => total + f.value * cosX[f.x][x] * cosY[f.y][y] * 2, start);
      const [light, yellow, red] = [sum(flat.l, l), sum(flat.p, p), sum(flat.q, q)];
      const b = light - (2 / 3) * yellow;
      const r = (3 * light - b + red) / 2;
      pixels.set([255 * r, 255 * (r - red), 255 * b, 255], at);
    }
  }
  return { width, height, pixels };
}

/** @param {number} length */
function cosines(length) {
  return Array.from({ length: 7 }, (_, n) => Float32Array.from({ length }, (_, at) => Math.cos((Math.PI / length) * n * (at + 0.5))));
}
