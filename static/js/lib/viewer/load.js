// Fetching previews for the viewer. By fetch and not by an <img>, because only then the reason of a failure is known, and
// a request that is no longer needed can be aborted.

import { Refusal, refusalOf, unreachable } from "../base/refusal.js";
import { backOff, pause, retryAfter, worthAnotherTry } from "../base/retry.js";
import { toast } from "../base/toast.js";

const TRIES = 3;
const LONGEST_PAUSE_MS = 5000;

/** Types that browsers show themselves; of any other the preview is the best there is. */
const SHOWABLE = new Set(["image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp"]);

/** @param {import("../base/api.js").Picture} picture */
export function showsItself(picture) {
  return SHOWABLE.has(picture.content_type);
}

/**
 * The preview's bytes.
 * @param {string} id
 * @param {AbortSignal} signal
 * @throws {Refusal}
 */
export async function fetchPreview(id, signal) {
  for (let tries = 1; ; tries++) {
    const answer = await send(`/api/v1/images/${id}/preview`, signal);
    if (answer.ok) return answer.blob().catch(() => Promise.reject(unreachable()));
    if (!worthAnotherTry(answer.status) || tries === TRIES) throw await refusalOf(answer);
    await pause(Math.min(retryAfter(answer.headers.get("Retry-After")) ?? backOff(tries - 1), LONGEST_PAUSE_MS), signal);
  }
}

/**
 * Shows the bytes at `url` in `image` once they are decoded, so that nothing flickers.
 * @param {HTMLImageElement} image
 * @param {string} url
 */
export async function showDecoded(image, url) {
  image.src = url;
  await image.decode().catch(() => Promise.reject(new Refusal(0, "What arrived is not a whole picture.")));
  image.hidden = false;
}

/**
 * The words of a refusal; any other error is a defect of ours and is thrown on.
 * @param {unknown} error
 */
export function wordsOf(error) {
  if (error instanceof Refusal) return error.detail;
  throw error;
}

/** Shows the words of a refusal in a toast. @param {unknown} error */
export function tell(error) {
  toast(wordsOf(error), { kind: "error" });
}

/**
 * @param {string} path
 * @param {AbortSignal} signal
 */
async function send(path, signal) {
  try {
    return await fetch(path, { signal, headers: { Accept: "image/*, application/problem+json" } });
  } catch {
    throw unreachable();
  }
}
