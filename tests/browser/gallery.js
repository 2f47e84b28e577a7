// What the tests of the dashboard share: a vault with pictures in it, and words for its parts.

import assert from "node:assert/strict";

import { openPage, register, signIn, startServer, upload } from "./harness.js";
import { png } from "./pictures.js";

/**
 * A vault of small pictures `0.png`, `1.png` …, of many shapes; the newest has the highest number.
 * @returns {Promise<{url: string, token: string, images: any[]}>}
 */
export async function vaultOf(t, count, store) {
  const url = await startServer(t, store);
  const token = await register(url);
  const images = [];
  for (let n = 0; n < count; n++) images.push(await upload(url, token, `${n}.png`, png(24 + ((n * 7) % 40), 24 + ((n * 11) % 30), [(n * 37) % 256, (n * 91) % 256, 90])));
  return { url, token, images };
}

/** The dashboard of that vault, once the grid stands. */
export async function dashboard(t, url, options, path = "/vault") {
  const page = await openPage(t, options);
  await signIn(page, url);
  await open(page, `${url}${path}`);
  return page;
}

export async function open(page, address) {
  await page.goto(address);
  await page.waitForSelector("[data-gallery=ready]");
}

export const api = async (url, token, method, path, body) => {
  const answer = await fetch(`${url}/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  return answer.status === 204 ? null : answer.json();
};

/** The tile of a picture by its name. */
export const tile = (page, name) => page.locator(`.photo[aria-label^="${name},"]`);

/** Names of the tiles in the page, in order. */
export const names = (page) => page.locator(".photo[aria-label]").evaluateAll((tiles) => tiles.map((tile) => tile.getAttribute("aria-label").split(",")[0]));

/** Names of the selected tiles. */
export const selected = (page) => page.locator(".photo[aria-selected=true]").evaluateAll((tiles) => tiles.map((tile) => tile.getAttribute("aria-label").split(",")[0]));

/** Waits until exactly these are selected. */
export async function expectSelected(page, expected) {
  await expectSoon(() => selected(page), expected);
}

/** Waits until `read` gives what is expected, and tells what it gave instead. */
export async function expectSoon(read, expected) {
  let found;
  for (const until = Date.now() + 30_000; Date.now() < until; ) {
    found = await read();
    try {
      assert.deepEqual(found, expected);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  assert.deepEqual(found, expected);
}
