// Signing in again in place, when the session ended while the page was open, so that nothing that was begun is lost.

import { useCsrfToken } from "./csrf.js";
import { clone, need } from "./dom.js";
import { refusalOf, unreachable } from "./refusal.js";
import { retryAfter } from "./retry.js";
import { attach as attachReveal } from "./reveal.js";

// After a refusal, other calls in the background would open the dialog again at once.
const QUIET_AFTER_NO_MS = 10_000;

/** @type {Promise<boolean> | null} */
let asking = null;
let refusedAt = -Infinity;

/**
 * Asks for the password of the account that the page belongs to; however many calls need it at once, there is one dialog.
 * @param {boolean} [wished] whether the person asked to sign in; without that, nobody is asked again who has just refused
 * @returns {Promise<boolean>} false where the person gave up
 */
export function signInAgain(wished = false) {
  if (!asking && !wished && performance.now() - refusedAt < QUIET_AFTER_NO_MS) return Promise.resolve(false);
  asking ??= renew().then(
    (signedIn) => {
      asking = null;
      if (!signedIn) refusedAt = performance.now();
      return signedIn;
    },
    (error) => {
      asking = null;
      throw error;
    },
  );
  return asking;
}

async function renew() {
  const dialog = clone("sign-in-again");
  if (!(dialog instanceof HTMLDialogElement)) throw new Error("The template sign-in-again holds no dialog");
  // Another tab may have signed in already: then there is nothing to ask.
  return (await adoptSession(dialog.dataset.username ?? "")) || ask(dialog);
}

/**
 * Adopts the session of the browser's cookie, if it is this person's.
 * @param {string} username
 */
async function adoptSession(username) {
  const answer = await fetch("/api/v1/session", { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return false;
  const session = await answer.json();
  if (session.user.username !== username) {
    // Somebody else is signed in here now; the pictures on this page are not theirs.
    location.reload();
    return false;
  }
  useCsrfToken(session.csrf_token);
  return true;
}

/**
 * @param {HTMLDialogElement} dialog
 * @returns {Promise<boolean>}
 */
function ask(dialog) {
  const form = need(dialog, "form", HTMLFormElement);
  const password = need(form, "input[type=password]", HTMLInputElement);
  const error = need(form, "[role=alert]", HTMLElement);
  const submit = need(form, "[data-again=submit]", HTMLButtonElement);
  const codeField = need(form, "[data-again=code]", HTMLElement);
  const code = need(codeField, "input", HTMLInputElement);
  const username = dialog.dataset.username ?? "";
  attachReveal(need(form, ".reveal", HTMLElement));

  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "signed-in");
    });
    need(form, "[data-again=cancel]", HTMLButtonElement).addEventListener("click", () => dialog.close());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit.disabled = true;
      void signIn(username, password.value, code.value).then(async ({ problem, aboutCode = false }) => {
        submit.disabled = false;
        if (problem === "" && (await adoptSession(username))) return dialog.close("signed-in");
        // Once a code was asked for, its field stays.
        if (aboutCode) codeField.hidden = false;
        error.hidden = false;
        need(error, "span", HTMLElement).textContent = problem || "Signing in did not work. Reload the page and try again.";
        mark(aboutCode ? code : password, aboutCode ? password : code, error);
      });
    });
    document.body.append(dialog);
    dialog.showModal();
    password.focus();
  });
}

/**
 * @param {HTMLInputElement} wrong
 * @param {HTMLInputElement} right
 * @param {HTMLElement} error
 */
function mark(wrong, right, error) {
  right.removeAttribute("aria-invalid");
  wrong.setAttribute("aria-invalid", "true");
  wrong.setAttribute("aria-describedby", error.id);
  wrong.select();
  wrong.focus();
}

/**
 * Sends the login page's form; the answer sets the cookie.
 * @param {string} login
 * @param {string} password
 * @param {string} totp a code of the second factor, or "" where none was asked for yet
 * @returns {Promise<{problem: string, aboutCode?: boolean}>} what went wrong, or ""
 */
async function signIn(login, password, totp) {
  let answer;
  try {
    const body = new URLSearchParams({ login, password, totp });
    answer = await fetch("/login", { method: "POST", body, redirect: "manual", headers: { Accept: "application/json" } });
  } catch {
    return { problem: unreachable().detail };
  }
  // The login page redirects on success; a script can see only that an answer is a redirect.
  if (answer.type === "opaqueredirect") return { problem: "" };
  if (answer.status === 429) {
    const wait = Math.ceil((retryAfter(answer.headers.get("Retry-After")) ?? 60_000) / 1000);
    return { problem: `Too many tries failed. Try again in ${wait} s.` };
  }
  const refusal = await refusalOf(answer);
  if (refusal.errors.totp) return { problem: refusal.errors.totp, aboutCode: true };
  if (answer.status === 401 || answer.status === 422) return { problem: "This password is not right. Try again." };
  return { problem: refusal.detail };
}
