// The grid when the server, the line or the session is away while one looks at it.

import assert from "node:assert/strict";
import test from "node:test";

import { password, register, signIn, startServer, upload } from "./harness.js";
import { api, dashboard, expectSelected, expectSoon, names, tile, vaultOf } from "./gallery.js";
import { png } from "./pictures.js";

const small = { viewport: { width: 500, height: 500 } };
const away = (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify({ detail: "The storage cannot be reached right now." }) });
const toBottom = (page) => page.evaluate(() => scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" }));
const loaded = (page, name) => expectSoon(() => tile(page, name).locator("img").evaluate((image) => image.naturalWidth > 0).catch(() => false), true);

/** Waits until each tile in the page has its picture. */
const dressed = (page) =>
  page.waitForFunction(() => [...document.querySelectorAll(".photo")].every((tile) => tile.hasAttribute("aria-label") && tile.querySelector("img")?.naturalWidth > 0));

/** More than one page of the list, so that its end is not loaded at first (nor by the plain page, whose images a browser remembers). */
async function long(t) {
  const url = await startServer(t);
  const token = await register(url);
  const numbers = Array.from({ length: 220 }, (_, n) => n);
  // Side by side, since the order does not matter here.
  for (let at = 0; at < numbers.length; at += 20) await Promise.all(numbers.slice(at, at + 20).map((n) => upload(url, token, `${n}.png`, png(20, 16, [n, n >> 1, 90]))));
  return { url, token };
}

test("what is below is asked for only when one gets there, and its absence is told with a way to try again", async (t) => {
  const { url } = await long(t);
  const page = await dashboard(t, url, small);
  page.expectedComplaints = [/503/];
  const asked = [];
  page.on("request", (request) => request.url().endsWith("/thumbnail") && asked.push(request.url()));
  await page.reload();
  await page.waitForSelector(".photo img");
  await page.waitForLoadState("networkidle");
  assert(asked.length < 110, `${asked.length} thumbnails of 220 were asked for at once`);

  await page.route(/\/api\/v1\/(images\?|session)/, away);
  await toBottom(page);
  await page.getByText("Some pictures could not be loaded. The storage cannot be reached right now.").first().waitFor();
  await page.locator(".photo--failed").first().waitFor();
  assert.equal(await page.locator(".toast").count(), 1, "said once, and not for each picture");
  await page.unroute(/\/api\/v1\/(images\?|session)/);
  await page.getByRole("button", { name: "Try again" }).click();
  await expectSoon(() => page.locator(".photo--failed").count(), 0);
  await expectSoon(() => page.locator(".photo:not([aria-label])").count(), 0);
  await expectSoon(() => page.locator(".toast").count(), 0);
});

test("a line that is back is noticed by itself", async (t) => {
  const { url } = await long(t);
  const page = await dashboard(t, url, small);
  page.expectedComplaints = [/ERR_INTERNET_DISCONNECTED/];
  await page.context().setOffline(true);
  await toBottom(page);
  await page.getByText("Some pictures could not be loaded. The server cannot be reached.").first().waitFor();
  await page.context().setOffline(false);
  await dressed(page);
  await expectSoon(() => page.locator(".toast").count(), 0);
});

test("a server that was busy for a moment is asked again, and nobody is bothered", async (t) => {
  const { url } = await vaultOf(t, 5);
  const page = await dashboard(t, url);
  page.expectedComplaints = [/503/];
  let busy = true;
  await page.route(/\/thumbnail$/, (route) => (busy ? away(route) : route.fallback()));
  // The grid looks whether all is well once a thumbnail of its own did not come; the plain page before it does not.
  page.on("request", (request) => (busy &&= !request.url().endsWith("/api/v1/session")));
  await page.reload();
  await expectSoon(() => busy, false);
  for (const n of [0, 1, 2, 3, 4]) await loaded(page, `${n}.png`);
  assert.equal(await page.locator(".toast").count(), 0);
});

test("a thumbnail that stays damaged is not asked for without end, and its picture can still be chosen", async (t) => {
  const { url, images } = await vaultOf(t, 5);
  const page = await dashboard(t, url);
  page.expectedComplaints = [/500/];
  let asked = 0;
  await page.route(`**/${images[2].id}/thumbnail`, (route) => ((asked += 1), route.fulfill({ status: 500, body: "" })));
  await page.reload();
  await page.locator(".photo--failed").waitFor();
  const tries = asked;
  await page.evaluate(() => dispatchEvent(new Event("scroll")));
  await page.waitForTimeout(2500);
  assert.equal(asked, tries);
  // Three times by the grid; the plain page that was there before has asked too.
  assert(tries <= 6, `asked ${tries} times`);
  await tile(page, "2.png").click({ modifiers: ["Control"] });
  await expectSelected(page, ["2.png"]);
});

test("where the session has ended one signs in again in place, and the pictures come", async (t) => {
  const { url } = await long(t);
  const page = await dashboard(t, url, small);
  page.expectedComplaints = [/401/];
  await page.context().clearCookies();
  await toBottom(page);
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Password", { exact: true }).fill(password);
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await dressed(page);
});

test("who has signed in anew in another tab goes on here without a word", async (t) => {
  const { url, token } = await vaultOf(t, 4);
  const page = await dashboard(t, url);
  page.expectedComplaints = [/403/];
  const other = await page.context().newPage();
  // Another session of the same browser: this page's proof is that of the one before.
  await page.context().clearCookies();
  await signIn(other, url);
  await tile(page, "2.png").focus();
  await page.keyboard.press("Delete");
  await expectSoon(() => names(page), ["3.png", "1.png", "0.png"]);
  await expectSoon(async () => (await api(url, token, "GET", "images?state=trashed")).total, 1);
  assert.equal(await page.getByRole("dialog").count(), 0);
});
