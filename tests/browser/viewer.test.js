// The viewer with mouse and keyboard, through the real grid: looking, leafing, and finding one's way back.

import assert from "node:assert/strict";
import test from "node:test";

import { expectSoon } from "./gallery.js";
import { ready, stopClock } from "./harness.js";
import { counts, dialog, gallery, heard, open, press, shown, slide } from "./viewer-steps.js";

test("a picture opens at once as its thumbnail, and the preview takes its place", async (t) => {
  const { page, images } = await gallery(t);
  let letThrough;
  const held = new Promise((resolve) => (letThrough = resolve));
  await page.route("**/preview", async (route) => {
    await held;
    await route.continue();
  });
  await press(page, 1);
  await slide(page).locator("[data-slide=thumbnail]").waitFor();
  assert.equal(await slide(page).getByRole("img", { name: images[1].name }).count(), 1);
  assert.equal(await slide(page).locator("[data-slide=preview]:not([hidden])").count(), 0);
  letThrough();
  await shown(page);
});

test("arrows, Home and End lead through the list, and each step is said", async (t) => {
  const { page } = await gallery(t);
  await open(page, 1);
  await counts(page, "2 of 5");
  for (const [key, name, place] of [
    ["ArrowRight", "colour 3.png", "3 of 5"],
    ["ArrowLeft", "colour 2.png", "2 of 5"],
    ["End", "colour 5.png", "5 of 5"],
    ["Home", "colour 1.png", "1 of 5"],
  ]) {
    await page.keyboard.press(key);
    await counts(page, place);
    assert.equal(await page.locator(".viewer-bar__name").textContent(), name);
    await expectSoon(() => heard(page), `${name}, ${place}`);
  }
  await page.keyboard.press("ArrowLeft");
  await expectSoon(() => heard(page), "This is the first picture.");
});

test("what was said before is never heard after what is said now", async (t) => {
  const { page } = await gallery(t);
  // The voice needs a moment to come into the viewer, and here one leafs on before it is over.
  await stopClock(page);
  await press(page, 1);
  await counts(page, "2 of 5");
  await page.keyboard.press("ArrowRight");
  await counts(page, "3 of 5");
  await page.clock.runFor(1000);
  assert.equal(await heard(page), "colour 3.png, 3 of 5");
});

test("the buttons at the sides lead on, and there is none where nothing follows", async (t) => {
  const { page } = await gallery(t, { count: 2 });
  await open(page, 0);
  assert.equal(await page.getByRole("button", { name: "Previous picture" }).count(), 0);
  await page.getByRole("button", { name: "Next picture" }).click();
  await counts(page, "2 of 2");
  assert.equal(await page.getByRole("button", { name: "Next picture" }).count(), 0);
  await page.getByRole("button", { name: "Previous picture" }).click();
  await counts(page, "1 of 2");
});

test("the address and the title name the picture; Back closes the viewer and Forward opens it again", async (t) => {
  const { page, url, images } = await gallery(t);
  const entries = await page.evaluate(() => history.length);
  await open(page, 1);
  await page.keyboard.press("ArrowRight");
  await page.waitForURL(`${url}/vault/images/${images[2].id}`);
  assert.equal(await page.title(), "colour 3.png · Image Vault");
  assert.equal(await page.evaluate(() => history.length), entries + 1, "leafing adds nothing to the history");
  await page.goBack();
  await page.waitForURL(`${url}/vault`);
  await dialog(page).waitFor({ state: "hidden" });
  assert.equal(await page.title(), "Vault · Image Vault");
  await page.goForward();
  await counts(page, "3 of 5");
  assert.equal(page.url(), `${url}/vault/images/${images[2].id}`);
});

test("closing goes back to the grid, with the focus on the picture that was seen last", async (t) => {
  const { page, url } = await gallery(t);
  await open(page, 0);
  assert.equal(await page.evaluate(() => document.activeElement.matches("dialog")), true, "the focus goes in");
  await page.keyboard.press("ArrowRight");
  await counts(page, "2 of 5");
  await page.keyboard.press("Escape");
  await page.waitForURL(`${url}/vault`);
  await page.locator('.photo[data-index="1"]:focus').waitFor();
  // Closed twice in a row, it still opens.
  await page.keyboard.press("Enter");
  await counts(page, "2 of 5");
  await page.getByRole("button", { name: "Close", exact: true }).click();
  await page.waitForURL(`${url}/vault`);
  await page.locator('.photo[data-index="1"]:focus').waitFor();
});

test("a viewer that is opened again while the browser is slow to go back stays open", async (t) => {
  const { page, url, images } = await gallery(t);
  await stopClock(page);
  await open(page, 1);
  await page.evaluate(() => {
    history.back = () => (globalThis.asked = true);
  });
  await page.keyboard.press("Escape");
  await dialog(page).waitFor({ state: "hidden" });
  assert(await page.evaluate(() => globalThis.asked));
  // Longer than the viewer waits for the browser.
  await page.clock.runFor(1000);
  await page.locator('.photo[data-index="1"]:focus').waitFor();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await shown(page);
  await page.evaluate(async () => {
    delete history.back;
    const gone = new Promise((resolve) => addEventListener("popstate", () => resolve(), { once: true }));
    history.back();
    await gone;
  });
  assert(await dialog(page).isVisible());
  await page.waitForURL(`${url}/vault/images/${images[2].id}`);
  await page.keyboard.press("Escape");
  await page.waitForURL(`${url}/vault`);
  await page.locator('.photo[data-index="2"]:focus').waitFor();
});

test("a reload of the address shows the plain page, and Back from there shows the grid", async (t) => {
  const { page, url, images } = await gallery(t);
  await open(page, 1);
  await page.reload();
  await page.getByRole("heading", { name: images[1].name }).waitFor();
  await ready(page);
  assert.equal(await dialog(page).count(), 0);
  await page.goBack();
  await page.waitForURL(`${url}/vault`);
  await page.locator(".photo[data-id]").first().waitFor();
});

test("the next two pictures and the one before are there before they are asked for, and others are let go", async (t) => {
  const { page, images } = await gallery(t, { count: 8 });
  const asked = [];
  page.on("request", (request) => request.url().endsWith("/preview") && asked.push(images.findIndex(({ id }) => request.url().includes(id))));
  await open(page, 3);
  await page.waitForFunction(() => document.querySelectorAll("[data-slide=preview]:not([hidden])").length === 4);
  assert.deepEqual(asked, [3, 4, 2, 5]);
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => document.querySelectorAll("[data-slide=preview]:not([hidden])").length === 4);
  assert.deepEqual(asked, [3, 4, 2, 5, 6]);
});

test("a preview that nobody waits for any more is called off", async (t) => {
  const { page, images } = await gallery(t, { count: 8 });
  let letThrough;
  const held = new Promise((resolve) => (letThrough = resolve));
  await page.route(`**/${images[0].id}/preview`, async (route) => {
    await held;
    await route.continue().catch(() => {});
  });
  const asked = page.waitForRequest((request) => request.url().includes(`${images[0].id}/preview`));
  const calledOff = page.waitForEvent("requestfailed", (request) => request.url().includes(`${images[0].id}/preview`));
  await press(page, 0);
  await asked;
  await page.keyboard.press("End");
  await calledOff;
  letThrough();
  await shown(page);
  await counts(page, "8 of 8");
});
