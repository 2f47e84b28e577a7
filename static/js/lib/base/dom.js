// Finding elements that the templates promise, and copying <template>s.

/**
 * The element that matches, or an error that says which template broke its promise.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new (...args: never[]) => T} kind
 * @returns {T}
 */
export function need(root, selector, kind) {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} at ${selector}`);
  return found;
}

/**
 * A copy of the one element inside <template data-template="name">.
 * @param {string} name
 * @returns {HTMLElement}
 */
export function clone(name) {
  const template = need(document, `template[data-template="${name}"]`, HTMLTemplateElement);
  const inside = template.content.firstElementChild;
  if (!(inside instanceof HTMLElement)) throw new Error(`The template ${name} is empty`);
  return /** @type {HTMLElement} */ (document.importNode(inside, true));
}
