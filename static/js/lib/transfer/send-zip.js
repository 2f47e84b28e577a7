// Sends a form with a large file. XMLHttpRequest, because fetch has no progress of what was sent.

/** Every export begins with a zip's header and the name of its list (docs/EXPORT.md). */
const NAME = "image-vault.json";
const NAME_AT = 30;

/**
 * Whether a file begins as an export does: checked here, since the server's refusal would come after much of it was sent.
 * @param {File} file
 */
export async function looksLikeExport(file) {
  const head = await file.slice(0, NAME_AT + NAME.length).arrayBuffer().catch(() => new ArrayBuffer(0));
  const text = new TextDecoder("latin1").decode(head);
  return text.startsWith("PK\x03\x04") && text.slice(NAME_AT) === NAME;
}

/**
 * @typedef {object} Answer
 * @property {number} status 0 where no answer came at all
 * @property {Document | null} page the page that the server answered with
 * @property {string} detail a problem's own words
 */

/**
 * Never rejects: a broken connection is an answer with status 0.
 * @param {HTMLFormElement} form
 * @param {AbortSignal} signal
 * @param {(sentBytes: number) => void} onProgress
 * @returns {Promise<Answer>}
 */
export function sendForm(form, signal, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    // So that failures come as problem documents, with a sentence to show.
    request.setRequestHeader("Accept", "application/json");
    const stop = () => request.abort();
    signal.addEventListener("abort", stop);
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onloadend = () => {
      signal.removeEventListener("abort", stop);
      resolve(answerOf(request));
    };
    request.send(new FormData(form));
  });
}

/**
 * @param {XMLHttpRequest} request
 * @returns {Answer}
 */
function answerOf(request) {
  const { status, responseText } = request;
  if (request.getResponseHeader("Content-Type")?.startsWith("text/html") && (status === 200 || status === 422)) {
    return { status, page: new DOMParser().parseFromString(responseText, "text/html"), detail: "" };
  }
  let detail = status === 0 ? "The connection broke." : `The server answered ${status}.`;
  try {
    detail = JSON.parse(responseText).detail ?? detail;
  } catch {
    // An empty body, or a proxy's own error page: the status must do.
  }
  return { status, page: null, detail };
}
