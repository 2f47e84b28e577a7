// Lets the phone's Share menu reach the vault: registers the worker that takes what is shared. Logging out clears it
// away (Clear-Site-Data), so every signed-in page makes sure of it.

/** @param {HTMLElement} header */
export function attach(header) {
  keepFragment();
  // Browsers have workers over HTTPS and on localhost only.
  if (!("signedIn" in header.dataset) || !("serviceWorker" in navigator)) return;
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
}

function register() {
  // The worker's scope is the share's address alone: no page and no picture passes through it.
  const asked = navigator.serviceWorker.register("/service-worker.js", { scope: "/share-target", updateViaCache: "none" });
  // Without the worker the vault works; the server then answers a share itself, and explains.
  asked.catch(() => {});
}

/** Keeps the fragment of /vault#shared through a sign-in: a browser never sends it to the server. */
function keepFragment() {
  const form = document.querySelector('form[action="/login"]');
  if (form instanceof HTMLFormElement) form.action += location.hash;
}
