// When to try again, and how long to wait before.

/** Tries that a file has while the server takes others. */
export const MOST_TRIES = 6;
/** How often it waits in all. An outage is no file's fault, so that is many minutes. */
export const MOST_WAITS = 12;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;

/** @param {number} status 0 where no answer came */
export function worthAnotherTry(status) {
  return [0, 408, 429, 502, 503, 504].includes(status);
}

/**
 * Doubles, and spreads by a quarter so that many clients do not come back together.
 * @param {number} waits how often it has been waited before
 */
export function backOff(waits) {
  return Math.min(FIRST_WAIT_MS * 2 ** waits, LONGEST_WAIT_MS) * (0.75 + Math.random() / 2);
}

/**
 * Ends early when there is no point in waiting: cancelled, or the network is back.
 * @param {number} waitMs
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
export function pause(waitMs, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, waitMs);
    addEventListener("online", end);
    signal?.addEventListener("abort", end);
  });
}

/**
 * What the server asked us to wait (RFC 9110 section 10.2.3: seconds, or a date).
 * @param {string | null} header
 * @returns {number | null} milliseconds
 */
export function retryAfter(header) {
  if (!header) return null;
  const waitMs = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : null;
}
