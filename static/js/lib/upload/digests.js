// SHA-256 of files, so that files the vault holds already need not be sent again.

// A digest needs the whole file in memory: larger files are sent without asking.
const LARGEST_BYTES = 64 << 20;

/**
 * Browsers compute digests only in a secure context (HTTPS, or this machine).
 * @param {File} file
 */
export function canDigest(file) {
  return globalThis.crypto?.subtle !== undefined && file.size > 0 && file.size <= LARGEST_BYTES;
}

/**
 * @param {File} file
 * @returns {Promise<string>} 64 hexadecimal digits
 * @throws where the file cannot be read
 */
export async function digestOf(file) {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
