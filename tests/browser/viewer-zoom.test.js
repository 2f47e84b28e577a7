// The viewer with mouse and keyboard: looking closer, and at nothing else.

import assert from "node:assert/strict";
import test from "node:test";

import { stopClock } from "./harness.js";
import { png } from "./pictures.js";
import { counts, dialog, gallery, open, shown, slide, zoomed } from "./viewer-steps.js";

/** A TIFF of one grey pixel: a type that no page shows by itself. */
const tiff = Buffer.from(
  "49492a0008000000" + "0800" +
  "000104000100000001000000" + "010104000100000001000000" + "020103000100000008000000" + "030103000100000001000000" +
  "060103000100000001000000" + "110104000100000070000000" + "150103000100000001000000" + "170104000100000001000000" +
  "00000000" + "0000" + "80", "hex");

const name = (page) => page.locator(".viewer-bar__name").textContent();

test("zooming asks for the original, keeps the picture in bounds, and Escape goes back one step at a time", async (t) => {
  const { page, images } = await gallery(t, { more: [["large.png", png(2600, 1800, [30, 90, 160])]] });
  const originals = [];
  page.on("request", (request) => request.url().includes("/original?inline=true") && originals.push(request.url()));
  await open(page, 0);
  assert.deepEqual(originals, [], "the whole picture needs no original");
  await page.keyboard.press("+");
  assert.equal((await zoomed(page)).scale, 1.5);
  await slide(page).locator("[data-slide=original]:not([hidden])").waitFor();
  assert(originals[0].includes(images[0].id));

  for (let n = 0; n < 20; n++) await page.keyboard.press("ArrowRight");
  // Moved to its edge, and not beyond.
  await page.waitForFunction(() => {
    const box = document.querySelector('.viewer-slide[aria-hidden="false"] [data-slide=frame]').getBoundingClientRect();
    return box.left < 0 && Math.abs(box.right - innerWidth) < 2;
  });
  await counts(page, "1 of 6");

  await page.keyboard.press("-");
  await page.keyboard.press("-");
  assert.deepEqual(await zoomed(page), { scale: 1, x: 0, y: 0 });
  await page.keyboard.press("+");
  await page.keyboard.press("0");
  assert.equal((await zoomed(page)).scale, 1);
  await page.keyboard.press("+");
  await page.keyboard.press("Escape");
  assert.equal((await zoomed(page)).scale, 1);
  assert(await dialog(page).isVisible(), "the zoom was one step");
  await page.keyboard.press("Escape");
  await dialog(page).waitFor({ state: "hidden" });
});

test("the wheel and a double click zoom around the pointer, and the mouse takes hold of the picture", async (t) => {
  const { page } = await gallery(t, { more: [["large.png", png(2600, 1800, [30, 90, 160])]] });
  await open(page, 0);
  const at = { x: 900, y: 300 };
  const under = async () => {
    const box = await slide(page).locator("[data-slide=frame]").boundingBox();
    return { x: (at.x - box.x) / box.width, y: (at.y - box.y) / box.height };
  };
  const before = await under();
  await page.mouse.move(at.x, at.y);
  await page.mouse.wheel(0, -600);
  await page.waitForFunction(() => document.querySelector("[data-zoomed]"));
  const after = await under();
  assert(Math.abs(before.x - after.x) < 0.01 && Math.abs(before.y - after.y) < 0.01, "what lies under the pointer stays there");

  const place = await zoomed(page);
  await page.mouse.down();
  await page.mouse.move(at.x - 80, at.y - 30, { steps: 4 });
  await page.mouse.up();
  const moved = await zoomed(page);
  assert.deepEqual([Math.round(moved.x - place.x), Math.round(moved.y - place.y)], [-80, -30]);

  // So that the second click is never late.
  await stopClock(page);
  await page.mouse.dblclick(640, 400);
  assert.equal((await zoomed(page)).scale, 1);
  await page.mouse.dblclick(640, 400);
  assert((await zoomed(page)).scale >= 2);
});

test("full screen is entered and left by a key", async (t) => {
  const { page } = await gallery(t, { count: 2 });
  await open(page, 0);
  await page.keyboard.press("f");
  await page.waitForFunction(() => document.fullscreenElement);
  const above = await page.evaluate(() => document.elementFromPoint(innerWidth / 2, innerHeight / 2).closest("dialog") !== null);
  assert(above, "the viewer is above the page");
  await page.locator('[data-do=fullscreen][aria-pressed="true"]').waitFor();
  await page.keyboard.press("f");
  await page.waitForFunction(() => !document.fullscreenElement);
  assert(await dialog(page).isVisible());
});

test("the controls fade while one looks, and come back with the pointer or the keyboard", async (t) => {
  const { page } = await gallery(t, { count: 2, reducedMotion: "no-preference" });
  await stopClock(page);
  await open(page, 0);
  await page.mouse.move(600, 400);
  await page.clock.runFor(3100);
  await page.locator(".viewer-dialog[data-calm]").waitFor();
  await page.mouse.move(610, 410);
  await page.locator(".viewer-dialog:not([data-calm])").waitFor();
  await page.keyboard.press("Tab");
  await page.clock.runFor(3100);
  assert.equal(await page.locator(".viewer-dialog[data-calm]").count(), 0, "nobody loses the control that has the focus");
});

test("an original that no browser shows is not asked for", async (t) => {
  const { page } = await gallery(t, { count: 1, more: [["scan.tif", tiff], ["large.png", png(2000, 1500, [9, 80, 70])]] });
  const originals = [];
  page.on("request", (request) => request.url().includes("inline=true") && originals.push(request.url()));
  await open(page, 1);
  assert.equal(await name(page), "scan.tif");
  await page.keyboard.press("+");
  await page.keyboard.press("0");
  await page.keyboard.press("ArrowLeft");
  await shown(page);
  await page.keyboard.press("+");
  await slide(page).locator("[data-slide=original]:not([hidden])").waitFor();
  assert.equal(originals.length, 1);
});
