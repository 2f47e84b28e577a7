// What one looks at and has selected, while the list changes around it.

import assert from "node:assert/strict";
import test from "node:test";

import { stopClock, upload } from "./harness.js";
import { api, dashboard, expectSelected, expectSoon, names, tile, vaultOf } from "./gallery.js";
import { png } from "./pictures.js";

const small = { viewport: { width: 900, height: 600 } };
const arrive = (page) => page.evaluate(() => document.dispatchEvent(new CustomEvent("pictures-added", { detail: { pictures: [] } })));
const count = (page) => page.locator("[data-count]").textContent();

test("a selection does not outlive the search it was made in", async (t) => {
  const { url, token } = await vaultOf(t, 12);
  const page = await dashboard(t, url, {}, "/vault?q=1");
  await page.getByRole("button", { name: "Select all" }).first().click();
  await page.getByText("3 selected ·").waitFor();
  await page.locator(".search__input").fill("");
  await expectSoon(async () => (await names(page)).length, 12);
  await expectSelected(page, []);
  await tile(page, "7.png").focus();
  await page.keyboard.press("Delete");
  await expectSoon(async () => (await api(url, token, "GET", "images?state=trashed")).total, 1);
});

test("what is destroyed is what the question named, whatever came in between", async (t) => {
  const { url, token } = await vaultOf(t, 4);
  const page = await dashboard(t, url);
  page.expectedComplaints = [/409/];
  await page.getByRole("button", { name: "Select all" }).first().click();
  await page.keyboard.press("Shift+Delete");
  await page.getByRole("dialog", { name: "Delete 4 pictures for good?" }).waitFor();
  await upload(url, token, "new.png", png(50, 40, [1, 2, 3]));
  await page.getByRole("button", { name: "Delete for good" }).click();
  await page.getByText("nothing was done").first().waitFor();
  assert.equal((await api(url, token, "GET", "images")).total, 5);
  await expectSoon(() => count(page), "5 pictures");
});

test("pictures that come in move neither what is in sight nor the focus", async (t) => {
  const { url, token } = await vaultOf(t, 60);
  const page = await dashboard(t, url, small);
  await tile(page, "59.png").focus();
  for (let n = 0; n < 5; n++) await page.keyboard.press("ArrowDown");
  const place = () => page.evaluate(() => [document.activeElement.getAttribute("aria-label"), Math.round(document.activeElement.getBoundingClientRect().top)]);
  const before = await place();
  assert.match(before[0], /^\d+\.png/);
  for (let n = 0; n < 7; n++) await upload(url, token, `new ${n}.png`, png(40 + n, 30, [n, 200, 9]));
  await arrive(page);
  await expectSoon(() => count(page), "67 pictures");
  const after = await place();
  assert.equal(after[0], before[0]);
  // Rows that filled up otherwise have other heights.
  assert(Math.abs(after[1] - before[1]) < 200, `${before[1]} px, then ${after[1]} px`);
  const blank = await page.locator(".photo:not([aria-label])").count();
  assert.equal(blank, 0, "tiles that lost their pictures");
});

test("a deletion that another device makes reaches a selection without breaking it", async (t) => {
  const { url } = await vaultOf(t, 5);
  const page = await dashboard(t, url);
  for (const n of [4, 2]) await tile(page, `${n}.png`).click({ modifiers: ["Control"] });
  await tile(page, "4.png").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Delete");
  await page.keyboard.press("Escape");
  await expectSoon(() => names(page), ["3.png", "2.png", "1.png", "0.png"]);
  await expectSelected(page, ["2.png"]);
});

test("Tab finds a picture wherever one has scrolled to", async (t) => {
  const { url } = await vaultOf(t, 60);
  const page = await dashboard(t, url, small);
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await tile(page, "0.png").waitFor();
  await expectSoon(() => page.locator(".photo[tabindex='0']").count(), 1);
});

test("several deletions in a row can each be undone, also where all came to the server at one moment", async (t) => {
  const { url } = await vaultOf(t, 6);
  const page = await dashboard(t, url);
  let letThrough;
  const together = new Promise((resolve) => (letThrough = resolve));
  await page.route("**/images/delete", async (route) => {
    await together;
    await route.continue();
  });
  // All four Undos are still there when the last one has come.
  await stopClock(page);
  await tile(page, "5.png").focus();
  for (let n = 5; n > 1; n--) {
    await page.keyboard.press("Delete");
    await expectSoon(async () => (await names(page)).length, n);
  }
  letThrough();
  await expectSoon(() => page.getByRole("button", { name: "Undo" }).count(), 4);
  await expectSoon(async () => (await names(page)).length, 2);
  for (let n = 3; n <= 6; n++) {
    await page.keyboard.press("Control+z");
    await expectSoon(async () => (await names(page)).length, n);
  }
});
