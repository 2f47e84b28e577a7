// The speed of a batch, from the last seconds.

/** @typedef {import("./ledger.js").UploadLedger} UploadLedger */

const WINDOW_MS = 10_000;
const ENOUGH_MS = 2000;
// Each file counts as this many bytes besides its own, so that a thousand small ones move the bar as well.
const WEIGHT_OF_A_FILE = 65_536;

export class UploadPace {
  /** @type {{at: number, bytes: number, weight: number}[]} */
  #samples = [];

  /**
   * The share of the batch that is done, from 0 to 1.
   * @param {UploadLedger} ledger
   */
  static share(ledger) {
    return weightOf(ledger.uploads.length, ledger.totalBytes) === 0
      ? 1
      : weightOf(ledger.settled, ledger.doneBytes) / weightOf(ledger.uploads.length, ledger.totalBytes);
  }

  reset() {
    this.#samples = [];
  }

  /**
   * @param {UploadLedger} ledger
   * @param {number} now
   * @returns {{bytesPerSecond: number, secondsLeft: number} | null} null while there are too few samples
   */
  measure(ledger, now) {
    const weight = weightOf(ledger.settled, ledger.doneBytes);
    const newest = { at: now, bytes: ledger.transferredBytes, weight };
    this.#samples.push(newest);
    while (now - this.#samples[0].at > WINDOW_MS) this.#samples.shift();
    const oldest = this.#samples[0];
    const seconds = (now - oldest.at) / 1000;
    if (1000 * seconds < ENOUGH_MS || weight <= oldest.weight) return null;
    const left = weightOf(ledger.uploads.length, ledger.totalBytes) - weight;
    return {
      bytesPerSecond: (newest.bytes - oldest.bytes) / seconds,
      secondsLeft: (left * seconds) / (weight - oldest.weight),
    };
  }
}

/**
 * @param {number} files
 * @param {number} bytes
 */
function weightOf(files, bytes) {
  return bytes + files * WEIGHT_OF_A_FILE;
}
