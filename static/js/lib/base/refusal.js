// Answers that report a failure.

/** An answer that reports a failure. `detail` is a sentence for people. */
export class Refusal extends Error {
  /**
   * @param {number} status 0 where no answer came
   * @param {string} detail
   * @param {Record<string, string>} [errors] by field
   * @param {string[]} [missing] ids that the vault does not hold
   */
  constructor(status, detail, errors = {}, missing = []) {
    super(detail);
    this.status = status;
    this.detail = detail;
    this.errors = errors;
    this.missing = missing;
  }
}

/** The failure where no answer came. */
export function unreachable() {
  return new Refusal(0, "The server cannot be reached. Check the connection and try again.");
}

/**
 * The failure that an answer reports, in its own words where it has some.
 * @param {Response} answer whose body was not read yet
 */
export async function refusalOf(answer) {
  const json = parsed(await answer.text().catch(() => ""));
  return new Refusal(answer.status, json?.detail ?? `The server answered ${answer.status}.`, json?.errors, json?.missing);
}

/**
 * The text parsed as JSON, or null.
 * @param {string} text
 */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    // An empty body, or a proxy's own error page: the status must do.
    return null;
  }
}
