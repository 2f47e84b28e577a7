// When to retry, and how long to wait before (exponential back-off).

/** How often a file is tried while the server accepts others. */
export const MOST_TRIES = 6;
/** How often a file waits in all. An outage is no file's fault, so that is many minutes. */
export const MOST_WAITS = 12;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;

/** @param {number} status 0 where no answer came */
export function worthAnotherTry(status) {
  return [0, 408, 429, 502, 503, 504].includes(status);
}

/**
 * The wait doubles each time, with a jitter of a quarter so that many clients do not come back together.
 * @param {number} waits how many waits came before
 */
export function backOff(waits) {
  return Math.min(FIRST_WAIT_MS * 2 ** waits, LONGEST_WAIT_MS) * (0.75 + Math.random() / 2);
}

/**
 * Waits; ends early when it is cancelled or the network is back.
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
 * The wait that a Retry-After header asks for (RFC 9110 section 10.2.3: seconds, or a date).
 * @param {string | null} header
 * @returns {number | null} milliseconds
 */
export function retryAfter(header) {
  if (!header) return null;
  const waitMs = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : null;
}
