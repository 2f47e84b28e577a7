// The search box filters while one types; the address keeps up, so that a reload and Back show the same.

import { need } from "./dom.js";

/** @typedef {import("./album.js").Album} Album */

const REST_MS = 180;

/**
 * @param {Album} album
 * @param {() => Promise<boolean>} look asks for the album anew
 * @param {(query: string) => void} searched
 */
export function attachSearch(album, look, searched) {
  const form = document.querySelector("form.search");
  if (!(form instanceof HTMLFormElement)) return;
  const field = need(form, ".search__input", HTMLInputElement);
  let timer = 0;
  const search = async () => {
    clearTimeout(timer);
    const q = field.value.trim();
    if (q === album.query.q) return;
    album.query.q = q;
    const url = new URL(location.href);
    if (q) url.searchParams.set("q", q);
    else url.searchParams.delete("q");
    url.searchParams.delete("cursor");
    history.replaceState(history.state, "", url);
    scrollTo({ top: 0, behavior: "instant" });
    if (await look()) searched(q);
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
}
