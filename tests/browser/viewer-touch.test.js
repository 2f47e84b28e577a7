// The viewer on a phone: what fingers do.

import assert from "node:assert/strict";
import test from "node:test";

import { expectSoon } from "./gallery.js";
import { stopClock } from "./harness.js";
import { png } from "./pictures.js";
import { counts, dialog, gallery, open, slide, zoomed } from "./viewer-steps.js";

const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

/** Fingers on the glass, by the debugger: real touches, and not events of our own making. */
async function fingers(page) {
  const debug = await page.context().newCDPSession(page);
  const send = (type, points) => debug.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
  return {
    down: (...points) => send("touchStart", points),
    move: (...points) => send("touchMove", points),
    up: () => send("touchEnd", []),
    async drag(from, to, steps = 6) {
      await send("touchStart", [from]);
      for (let n = 1; n <= steps; n++) await send("touchMove", [from.map((start, axis) => start + ((to[axis] - start) * n) / steps)]);
    },
  };
}

/** Waits until the track has moved that many pixels: it is drawn with the next frame. */
const moved = (page, way) =>
  page.waitForFunction((way) => Math.abs((parseFloat(getComputedStyle(document.querySelector("[data-viewer=track]")).translate) || 0) - way) < 3, way);

test("a swipe follows the finger and leads on; a short one snaps back", async (t) => {
  const { page } = await gallery(t, { count: 3, ...phone });
  await open(page, 0);
  await page.waitForFunction(() => document.querySelectorAll("[data-slide=preview]:not([hidden])").length === 3);
  const hand = await fingers(page);

  await hand.drag([180, 400], [150, 402]);
  await moved(page, -30);
  // It comes to rest, so that it throws nothing.
  await page.waitForTimeout(150);
  await hand.move([150, 402]);
  await hand.up();
  await moved(page, 0);
  await counts(page, "1 of 3");

  await hand.drag([300, 400], [60, 410]);
  await hand.up();
  await counts(page, "2 of 3");
  await hand.drag([60, 400], [300, 390]);
  await hand.up();
  await counts(page, "1 of 3");
});

test("at the first picture a swipe yields a little and goes nowhere", async (t) => {
  const { page } = await gallery(t, { count: 2, ...phone });
  await open(page, 0);
  const hand = await fingers(page);
  await hand.drag([100, 400], [300, 400]);
  await moved(page, 50);
  await hand.up();
  await moved(page, 0);
  await counts(page, "1 of 2");
});

test("two fingers zoom, one moves the picture within its bounds, and a double tap goes back", async (t) => {
  const { page } = await gallery(t, { count: 1, more: [["large.png", png(1800, 2400, [30, 90, 160])]], ...phone });
  await open(page, 0);
  const hand = await fingers(page);
  await hand.down([150, 370], [210, 370]);
  for (let n = 1; n <= 6; n++) await hand.move([150 - 10 * n, 370], [210 + 10 * n, 370]);
  await hand.up();
  // The fingers went from 60 to 180 pixels.
  await expectSoon(async () => (await zoomed(page)).scale.toFixed(1), "3.0");
  const before = await zoomed(page);

  await hand.drag([180, 400], [120, 360]);
  await hand.up();
  const isMoved = ({ x, y }) => (Math.abs(x - before.x + 60) < 8 && Math.abs(y - before.y + 40) < 8) || `from ${before.x}, ${before.y} to ${x}, ${y}`;
  await expectSoon(async () => isMoved(await zoomed(page)), true);
  for (let n = 0; n < 4; n++) {
    await hand.drag([340, 400], [20, 400]);
    await hand.up();
  }
  const fromEdge = async () => {
    const { x, width } = await slide(page).locator("[data-slide=frame]").boundingBox();
    return Math.abs(x + width - 360) < 2 || x + width - 360;
  };
  await expectSoon(fromEdge, true);
  await counts(page, "1 of 2");

  // Two taps are one double tap only if they come soon after each other.
  await stopClock(page);
  for (let n = 0; n < 2; n++) {
    await hand.down([180, 370]);
    await hand.up();
  }
  await page.waitForFunction(() => !document.querySelector("[data-zoomed]"));
});

test("a tap takes the controls away and brings them back", async (t) => {
  const { page } = await gallery(t, { count: 2, ...phone });
  await open(page, 0);
  await page.touchscreen.tap(180, 300);
  await page.locator(".viewer-dialog[data-calm]").waitFor();
  await page.waitForTimeout(400);
  await page.touchscreen.tap(180, 300);
  await page.locator(".viewer-dialog:not([data-calm])").waitFor();
});

test("a swipe up shows the details, Escape closes them first, and a swipe down closes the viewer", async (t) => {
  const { page, url } = await gallery(t, { count: 2, ...phone });
  await open(page, 0);
  const hand = await fingers(page);
  await hand.drag([180, 500], [184, 300]);
  await hand.up();
  await page.getByRole("region", { name: "Details" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("region", { name: "Details" }).waitFor({ state: "hidden" });
  assert(await dialog(page).isVisible());
  await hand.drag([180, 300], [176, 520]);
  await hand.up();
  await dialog(page).waitFor({ state: "hidden" });
  await page.waitForURL(`${url}/vault`);
});

test("every control is at least 44 pixels large and inside the smallest screen", async (t) => {
  const { page } = await gallery(t, { count: 3, ...phone, viewport: { width: 320, height: 568 } });
  await open(page, 1);
  for (const control of await page.locator("[data-do]:visible").all()) {
    const { x, y, width, height } = await control.boundingBox();
    const label = await control.getAttribute("aria-label");
    assert(width >= 44 && height >= 44, `${label} is ${width} × ${height}`);
    assert(x >= 0 && y >= 0 && x + width <= 320 && y + height <= 568, `${label} is outside`);
  }
});
