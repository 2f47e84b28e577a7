// Finds every [data-behaviour] and hands the element to behaviours/<name>.js. Every page works without this file;
// a behaviour that fails to load or to attach leaves its plain form as it was.

/** @typedef {{ attach: (element: HTMLElement) => void }} Behaviour */

/** @type {Promise<void>[]} */
const all = [];

for (const element of document.querySelectorAll("[data-behaviour]")) {
  if (!(element instanceof HTMLElement)) continue;
  for (const name of (element.dataset.behaviour ?? "").split(" ").filter(Boolean)) {
    const attached = import(`./behaviours/${name}.js`)
      .then((/** @type {Behaviour} */ behaviour) => behaviour.attach(element))
      .catch((error) => console.error(`The behaviour ${name} did not start.`, error));
    all.push(attached);
  }
}

// The load event does not wait for them. By this, programs that drive the page, such as tests, see that they listen.
void Promise.all(all).then(() => (document.documentElement.dataset.scripts = "ready"));
