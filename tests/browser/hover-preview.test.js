// The closer look at a tile that a resting pointer gets, and the list of keys.

import assert from "node:assert/strict";
import test from "node:test";

import { checkAccessibility, stopClock } from "./harness.js";
import { png } from "./pictures.js";
import { dialog, gallery, open, tile } from "./viewer-steps.js";

const preview = (page) => page.locator(".hover-preview");
const many = { count: 8, more: [["harbour.png", png(1200, 900, [20, 120, 150])]] };

// R1.34: for a pointer here, for the keyboard below; on glass a tap opens the viewer (viewer-touch.test.js).
test("a pointer that rests on a tile gets a closer look beside it", async (t) => {
  const { page } = await gallery(t, many);
  await tile(page, 0).hover();
  await preview(page).waitFor();
  const words = await preview(page).textContent();
  for (const each of ["harbour.png", "1200 × 900", "KiB"]) assert(words.includes(each), `${each} in ${words}`);
  const [one, other] = [await tile(page, 0).boundingBox(), await preview(page).boundingBox()];
  const apart = other.x >= one.x + one.width || other.x + other.width <= one.x || other.y >= one.y + one.height || other.y + other.height <= one.y;
  assert(apart, "it does not lie on the tile");
  assert(other.x >= 0 && other.y >= 0 && other.x + other.width <= 1280 && other.y + other.height <= 800, "it is on the screen");
  const image = await preview(page).locator("img").evaluate(({ naturalWidth, width }) => ({ naturalWidth, width }));
  assert(image.width <= image.naturalWidth && image.width === 400, "it is as large as it is sharp");
  await checkAccessibility(page, "the hover preview");
});

test("nothing is shown to a pointer that only passes", async (t) => {
  const { page } = await gallery(t, many);
  await stopClock(page);
  await tile(page, 0).hover();
  await page.clock.runFor(500);
  await tile(page, 1).hover();
  await page.clock.runFor(500);
  assert.equal(await preview(page).isVisible(), false);
  await page.clock.runFor(200);
  await preview(page).waitFor();
  assert((await preview(page).textContent()).includes("colour 1.png"));
});

for (const [what, leave] of [
  ["the pointer leaves", (page) => page.mouse.move(5, 5)],
  ["the page scrolls", (page) => page.evaluate(() => dispatchEvent(new Event("scroll")))],
  ["Escape is pressed", (page) => page.keyboard.press("Escape")],
  ["a key is pressed", (page) => page.keyboard.press("Shift")],
  ["a button of the mouse is pressed", (page) => page.mouse.down()],
]) {
  test(`the closer look is gone when ${what}`, async (t) => {
    const { page } = await gallery(t, many);
    await tile(page, 2).hover();
    await preview(page).waitFor();
    await leave(page);
    await preview(page).waitFor({ state: "hidden" });
  });
}

test("the pointer can go onto the closer look, which stays until it leaves", async (t) => {
  const { page } = await gallery(t, many);
  await tile(page, 0).hover();
  await preview(page).waitFor();
  await stopClock(page);
  const { x, y, width, height } = await preview(page).boundingBox();
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.clock.runFor(2000);
  assert(await preview(page).isVisible());
  await page.mouse.move(5, 5);
  await page.clock.runFor(200);
  await preview(page).waitFor({ state: "hidden" });
});

test("the keyboard's focus gets the closer look too, and hears it", async (t) => {
  const { page } = await gallery(t, many);
  await tile(page, 0).focus();
  await page.keyboard.press("ArrowRight");
  await preview(page).waitFor();
  assert((await preview(page).textContent()).includes("colour 1.png"));
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-describedby")), "hover-preview");
  await page.keyboard.press("Escape");
  await preview(page).waitFor({ state: "hidden" });
  assert.equal(await page.evaluate(() => document.activeElement.matches('.photo[data-index="1"]')), true, "one step back was the closer look");
});

test("neither a finger nor an open viewer gets a closer look", async (t) => {
  const { page } = await gallery(t, { ...many, hasTouch: true });
  await stopClock(page);
  await tile(page, 0).dispatchEvent("pointerover", { pointerType: "touch", bubbles: true });
  await page.clock.runFor(1000);
  assert.equal(await preview(page).isVisible(), false);
  await tile(page, 0).hover();
  await open(page, 0);
  await page.clock.runFor(2000);
  assert.equal(await preview(page).isVisible(), false);
});

test("a question mark lists the keys, over the grid and over the viewer", async (t) => {
  const { page } = await gallery(t, { count: 2 });
  const list = page.getByRole("dialog", { name: "Keys" });
  await tile(page, 0).focus();
  await page.keyboard.press("?");
  await list.getByText("Move to the trash").first().waitFor();
  await checkAccessibility(page, "the list of keys");
  await page.keyboard.press("Escape");
  await list.waitFor({ state: "hidden" });
  await open(page, 0);
  await page.keyboard.press("?");
  await list.waitFor();
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.locator(".viewer-bar__count").textContent(), "1 of 2", "the viewer waits");
  await page.keyboard.press("?");
  await list.waitFor({ state: "hidden" });
  assert(await dialog(page).isVisible());
});

test("a button lists the keys, and a click beside the list closes it", async (t) => {
  const { page, url } = await gallery(t, { count: 1 });
  await page.getByRole("button", { name: "Keys" }).click();
  const list = page.getByRole("dialog", { name: "Keys" });
  await list.waitFor();
  await page.mouse.click(4, 400);
  await list.waitFor({ state: "hidden" });
  // In the trash they mean something else.
  await page.goto(`${url}/trash`);
  await page.waitForSelector("[data-gallery=ready]");
  await page.getByRole("button", { name: "Keys" }).click();
  await list.waitFor();
  assert.equal(await list.getByText("Move to the trash").count(), 0);
});
