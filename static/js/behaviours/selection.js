// Ticking pictures: ranges with Shift, the whole page, everything; the bar counts. The check boxes themselves are the state,
// so the form sends what is seen and Back brings it back.

import { need, pictures } from "../lib/dom.js";

/** @param {HTMLElement} collection holds the bars and the form; `data-total` is the number of pictures on all pages */
export function attach(collection) {
  const all = need(collection, "input[name=all]", HTMLInputElement);
  const count = need(collection, "[data-select=count]", HTMLElement);
  const status = need(collection, "[data-select=status]", HTMLElement);
  const selectPage = need(collection, "[data-select=page]", HTMLButtonElement);
  const selectRest = need(collection, "[data-select=rest]", HTMLButtonElement);
  const selectNone = need(collection, "[data-select=none]", HTMLButtonElement);
  /** @type {HTMLInputElement | null} */
  let anchor = null;

  const boxes = () => /** @type {HTMLInputElement[]} */ ([...collection.querySelectorAll("input[name=ids]")]);

  /** Tells the page what is ticked: the style sheet shows the bar and the offer from `data-selected`. */
  const refresh = () => {
    const page = boxes();
    const ticked = page.filter((box) => box.checked).length;
    const total = Number(collection.dataset.total);
    const whole = ticked > 0 && ticked === page.length;
    const selected = all.checked ? total : ticked;

    collection.dataset.selected = all.checked ? "all" : whole && total > page.length ? "page" : ticked > 0 ? "some" : "none";
    selectPage.hidden = page.length === 0;
    selectRest.hidden = whole || all.checked;
    selectNone.hidden = false;
    showCount(count, selected);
    status.textContent = selected > 0 ? `${selected.toLocaleString("en")} selected` : status.textContent ? "Nothing selected" : "";
  };

  /** @param {boolean} checked */
  const setPage = (checked) => {
    for (const box of boxes()) box.checked = checked;
    if (!checked) all.checked = false;
    anchor = null;
    refresh();
  };

  selectPage.addEventListener("click", () => {
    setPage(true);
    selectNone.focus();
  });
  selectRest.addEventListener("click", () => {
    setPage(true);
    selectNone.focus();
  });
  selectNone.addEventListener("click", () => {
    setPage(false);
    selectPage.focus();
  });
  all.addEventListener("change", () => setPage(all.checked));

  collection.addEventListener("click", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || box.name !== "ids") return;
    if (event.shiftKey && anchor) setRange(boxes(), anchor, box);
    anchor = box;
    if (!box.checked) all.checked = false;
    refresh();
  });
  collection.addEventListener("tiles-changed", refresh);
  // A browser that goes back fills the boxes in again after the scripts have run.
  addEventListener("pageshow", refresh);
  refresh();
}

/**
 * @param {HTMLInputElement[]} boxes in the order of the page
 * @param {HTMLInputElement} from
 * @param {HTMLInputElement} to whose state the whole range takes
 */
function setRange(boxes, from, to) {
  const [first, last] = [boxes.indexOf(from), boxes.indexOf(to)].sort((a, b) => a - b);
  if (first < 0) return;
  for (const box of boxes.slice(first, last + 1)) box.checked = to.checked;
}

/**
 * @param {HTMLElement} element
 * @param {number} selected
 */
function showCount(element, selected) {
  const words = document.createElement("span");
  words.className = "select-bar__words";
  words.textContent = " selected";
  element.replaceChildren(selected.toLocaleString("en"), words);
  element.title = pictures(selected);
}
