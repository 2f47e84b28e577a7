// Answers that are no success.

/** An answer that is no success. `detail` is a sentence for people. */
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

/** No answer came. */
export function unreachable() {
  return new Refusal(0, "The server cannot be reached. Check the connection and try again.");
}

/**
 * An answer that is no success, in its own words where it has some.
 * @param {Response} answer whose body was not read yet
 */
export async function refusalOf(answer) {
  const json = parsed(await answer.text().catch(() => ""));
  return new Refusal(answer.status, json?.detail ?? `The server answered ${answer.status}.`, json?.errors, json?.missing);
}

/**
 * What a text says as JSON, or null.
 * @param {string} text
 */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    // Nothing, or a proxy's own error page: the status must do.
    return null;
  }
}
