// Finds every [data-behaviour] and hands the element to behaviours/<name>.js. Every page works without this file;
// a behaviour that fails to load or to attach leaves its plain form as it was.

/** @typedef {{ attach: (element: HTMLElement) => void }} Behaviour */

for (const element of document.querySelectorAll("[data-behaviour]")) {
  if (!(element instanceof HTMLElement)) continue;
  for (const name of (element.dataset.behaviour ?? "").split(" ").filter(Boolean)) {
    import(`./behaviours/${name}.js`)
      .then((/** @type {Behaviour} */ behaviour) => behaviour.attach(element))
      .catch((error) => console.error(`The behaviour ${name} did not start.`, error));
  }
}
