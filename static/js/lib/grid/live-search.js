// The search box filters while somebody types; the address follows, so that a reload and Back show the same list.

import { need } from "../base/dom.js";
import { retitle } from "../base/page-title.js";

/** @typedef {import("./picture-list.js").PictureList} PictureList */

const REST_MS = 180;

/**
 * @param {PictureList} list
 * @param {(query: import("./picture-list.js").Query) => Promise<boolean>} look asks for another list
 * @param {(query: string) => void} searched
 */
export function attachSearch(list, look, searched) {
  const form = document.querySelector("form.search");
  if (!(form instanceof HTMLFormElement)) return;
  const field = need(form, ".search__input", HTMLInputElement);
  const clear = need(form, ".search__clear", HTMLAnchorElement);
  let timer = 0;
  const search = async () => {
    clearTimeout(timer);
    const q = field.value.trim();
    if (q === list.query.q) return;
    const url = withWords(location.href, q);
    url.searchParams.delete("cursor");
    history.replaceState(history.state, "", url);
    clear.hidden = q === "";
    retitle(`${q || "Vault"} · Image Vault`);
    scrollTo({ top: 0, behavior: "instant" });
    for (const link of document.querySelectorAll(".toolbar a[href^='/vault?']")) keepWords(link, q);
    if (await look({ ...list.query, q })) searched(q);
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void search(), REST_MS);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    // One step back: first the words, then the box.
    if (field.value) field.value = "";
    else field.blur();
    void search();
    event.preventDefault();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void search();
  });
  clear.addEventListener("click", (event) => {
    event.preventDefault();
    field.value = "";
    field.focus();
    void search();
  });
}

/**
 * Makes a link to another order keep the words of the search.
 * @param {Element} link
 * @param {string} q
 */
function keepWords(link, q) {
  if (!(link instanceof HTMLAnchorElement)) return;
  const { pathname, search } = withWords(link.href, q);
  // Without the origin, as the server writes it, so that the link is found the next time too.
  link.setAttribute("href", pathname + search);
}

/**
 * @param {string} address
 * @param {string} q
 */
function withWords(address, q) {
  const url = new URL(address);
  if (q) url.searchParams.set("q", q);
  else url.searchParams.delete("q");
  return url;
}
