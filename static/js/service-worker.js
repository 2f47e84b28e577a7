// Takes the pictures that a phone's Share menu hands over, and gives them to the page, which sends them with its own
// token. It answers for /share-target alone (its registration says so), caches nothing and writes nothing: the files
// are in memory only, for minutes, until the page has asked once.

const SHARE = "/share-target";
const KEPT_MS = 5 * 60 * 1000;

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

/** @type {File[]} */
let kept = [];
let forget = () => {};

worker.addEventListener("install", () => {
  // Nothing of an older version is worth waiting for.
  void worker.skipWaiting();
});

worker.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method !== "POST" || new URL(url).pathname !== SHARE) return;
  const taken = take(event.request);
  event.respondWith(taken.then(() => Response.redirect("/vault#shared", 303)));
  // An idle worker is ended after seconds, and its memory with it.
  event.waitUntil(taken.then(keep));
});

worker.addEventListener("message", (event) => {
  if (event.data?.type !== "take-shared") return;
  event.ports[0]?.postMessage({ files: kept });
  forget();
});

/**
 * Keeps the request's files, instead of those of an earlier share that nobody asked for.
 * @param {Request} request
 */
async function take(request) {
  forget();
  try {
    // The field's name is from the manifest.
    const parts = (await request.formData()).getAll("files");
    kept = parts.filter((part) => part instanceof File);
  } catch {
    // Broken off, or no form: the page will find nothing.
  }
}

/**
 * Settles when the page has the files, or when they were kept for long enough.
 * @returns {Promise<void>}
 */
function keep() {
  return new Promise((settle) => {
    const timer = setTimeout(() => forget(), KEPT_MS);
    forget = () => {
      clearTimeout(timer);
      kept = [];
      forget = () => {};
      settle();
    };
  });
}
