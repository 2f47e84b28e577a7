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
  // Its scope is the share's address alone: no page and no picture takes the way through it.
  const asked = navigator.serviceWorker.register("/service-worker.js", { scope: "/share-target", updateViaCache: "none" });
  // Without it the vault works; a share is then answered by the server, which explains.
  asked.catch(() => {});
}

/** Who has to sign in on the way to /vault#shared still arrives there: no server ever sees what follows the #. */
function keepFragment() {
  const form = document.querySelector('form[action="/login"]');
  if (form instanceof HTMLFormElement) form.action += location.hash;
}
