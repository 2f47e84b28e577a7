// Bringing an export back: the plain form, with its progress, and with the answer put into the page.

import { announce } from "../lib/base/announce.js";
import { need } from "../lib/base/dom.js";
import { looksLikeExport, sendForm } from "../lib/transfer/send-zip.js";
import { signInAgain } from "../lib/base/sign-in-again.js";
import { bytes } from "../lib/base/words.js";

const FOREIGN = "This is no export of an Image Vault as it was downloaded. Choose the zip itself, neither unpacked nor packed again.";

/** @param {HTMLElement} element */
export function attach(element) {
  if (!(element instanceof HTMLFormElement)) throw new Error("The behaviour import is for forms");
  const form = element;
  const input = need(form, "input[type=file]", HTMLInputElement);
  const button = need(form, "button:not([type=button])", HTMLButtonElement);
  const cancel = need(form, "[data-import=cancel]", HTMLButtonElement);
  const progress = need(form, ".import__progress", HTMLElement);
  const bar = need(progress, "progress", HTMLProgressElement);
  const words = need(progress, "[role=status]", HTMLElement);
  /** @type {AbortController | null} */
  let running = null;

  input.addEventListener("change", () => input.setCustomValidity(""));
  cancel.addEventListener("click", () => running?.abort());
  addEventListener("beforeunload", (event) => {
    if (running) event.preventDefault();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const file = input.files?.[0];
    if (file && !running) void run(file);
  });

  /** @param {File} file */
  async function run(file) {
    if (!(await looksLikeExport(file))) {
      input.setCustomValidity(FOREIGN);
      input.reportValidity();
      return;
    }
    running = new AbortController();
    button.disabled = true;
    cancel.hidden = false;
    progress.hidden = false;
    const ended = await send(file, running.signal);
    running = null;
    button.disabled = false;
    cancel.hidden = true;
    words.textContent = ended;
    progress.hidden = ended === "";
  }

  /**
   * @param {File} file
   * @param {AbortSignal} signal
   * @returns {Promise<string>} why the import did not finish, or ""
   */
  async function send(file, signal) {
    bar.value = 0;
    const answer = await sendForm(form, signal, (sent) => {
      // The form is a little more than the file.
      bar.value = Math.min(1, sent / file.size);
      words.textContent = sent < file.size ? `${bytes(sent)} of ${bytes(file.size)}` : "Checking the last pictures…";
    });
    if (signal.aborted) return "Stopped. What has arrived is kept: press the button to go on.";
    if (answer.page) {
      show(answer.page);
      return "";
    }
    if ((answer.status === 401 || answer.status === 403) && (await signInAgain(true))) return send(file, signal);
    return `${answer.detail} What has arrived is kept: press the button to go on.`;
  }

  /** @param {Document} page the same page with the answer in it */
  function show(page) {
    const [here, there] = [document, page].map((tree) => need(tree, "#imported", HTMLElement));
    here.replaceChildren(...there.childNodes);
    const result = here.querySelector("h2");
    form.reset();
    if (result) announce(result.textContent ?? "");
    here.focus({ preventScroll: true });
    here.scrollIntoView({ block: "nearest" });
  }
}
