// What the tests of the viewer and of the hover preview have in common: one server, an account for each test, and a way in.

import { after } from "node:test";

import { openPage, register, signIn, startServer, upload } from "./harness.js";
import { png } from "./pictures.js";

// Begun here, outside of any test, so that it ends with the file and not with the first of them.
const server = startServer({ after });
let accounts = 0;

/** Colours that no two pictures of an account share. */
export const colour = (n) => png(320 + 8 * n, 240 + 40 * (n % 3), [(40 * n) % 256, (200 + 90 * n) % 256, (90 + 20 * n) % 256]);

/**
 * A page on the grid of an account that holds `count` pictures, "colour 1.png" the newest and first, and those of `more`,
 * pairs of a name and bytes, before them.
 */
export async function gallery(t, { count = 5, more = [], ...options } = {}) {
  const url = await server;
  const username = `wanda${(accounts += 1)}`;
  const token = await register(url, username);
  const images = [];
  for (let n = count; n > 0; n--) images.unshift(await upload(url, token, `colour ${n}.png`, colour(n)));
  for (const [name, bytes] of more) images.unshift(await upload(url, token, name, bytes));
  const page = await openPage(t, options);
  await signIn(page, url, username);
  await page.locator(".photo[data-id]").first().waitFor();
  return { page, url, token, images };
}

/** The tile of the picture at `index`. */
export const tile = (page, index) => page.locator(`.photo[data-index="${index}"]`);

export const dialog = (page) => page.locator(".viewer-dialog");

/** The slide that is on the stage, and not beside it. */
export const slide = (page) => page.locator('.viewer-slide[aria-hidden="false"]');

/** Clicks the tile's far corner: the near one selects it. */
export async function press(page, index) {
  await tile(page, index).waitFor();
  const { width, height } = await tile(page, index).boundingBox();
  await tile(page, index).click({ position: { x: width - 12, y: height - 12 } });
}

/** Opens the viewer at `index`, with its preview shown. */
export async function open(page, index) {
  await press(page, index);
  await shown(page);
}

/** Waits for the preview of the picture on the stage. */
export const shown = (page) => slide(page).locator("[data-slide=preview]:not([hidden])").waitFor();

/** Waits until the viewer's counter says so. */
export const counts = (page, words) => page.locator(".viewer-bar__count", { hasText: new RegExp(`^${words}$`) }).waitFor();

/** What a screen reader was told last. */
export const heard = (page) => page.locator("p.visually-hidden[role=status]").last().textContent();

/** How much larger than seen whole, and where, the picture is. */
export const zoomed = (page) =>
  slide(page).locator("[data-slide=frame]").evaluate((frame) => {
    const [x = "0", y = "0"] = frame.style.translate.split(" ");
    return { scale: Number(frame.style.scale || 1), x: parseFloat(x), y: parseFloat(y) };
  });

/** A call of the API as the owner, from outside the page. */
export async function owner(url, token, method, path, body) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return fetch(`${url}/api/v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
}
