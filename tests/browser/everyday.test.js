// A round through what people do every day, on each screen and in each colour: with a finger where there is no mouse.

import assert from "node:assert/strict";
import test from "node:test";

import { download } from "./harness.js";
import { api, dashboard, expectSelected, expectSoon, names, tile, vaultOf } from "./gallery.js";
import { looks } from "./looks.js";
import { zipSums } from "./pictures.js";

/** Chooses one more, in the way of the device. */
async function choose(page, options, name) {
  if (!options.hasTouch) return tile(page, name).click({ modifiers: ["Control"] });
  if ((await page.locator("[data-selecting]").count()) > 0) return tile(page, name).tap();
  const { x, y, width, height } = await tile(page, name).boundingBox();
  const touch = await page.context().newCDPSession(page);
  await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x: x + width / 2, y: y + height / 2 }] });
  await tile(page, name).and(page.locator("[aria-selected=true]")).waitFor();
  await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
}

for (const [look, options] of Object.entries(looks)) {
  test(`choosing, a zip, a favourite, the trash and back, and a search, ${look}`, async (t) => {
    const { url, token, images } = await vaultOf(t, 12);
    const page = await dashboard(t, url, options);
    const press = (locator) => (options.hasTouch ? locator.tap() : locator.click());
    const bar = page.getByRole("group", { name: "Selected pictures" });

    for (const n of [10, 7, 4]) await choose(page, options, `${n}.png`);
    await expectSelected(page, ["10.png", "7.png", "4.png"]);
    const zip = await download(page, () => press(bar.getByRole("button", { name: "Download" })));
    assert.deepEqual(zipSums(zip.path), new Map([10, 7, 4].map((n) => [images[n].name, images[n].sha256])));

    await press(bar.getByRole("button", { name: "Favourite" }));
    await page.locator(".photo--favourite").nth(2).waitFor();
    await expectSelected(page, []);

    for (const n of [11, 0]) await choose(page, options, `${n}.png`);
    await press(bar.getByRole("button", { name: "Delete" }));
    await expectSoon(async () => (await names(page)).length, 10);
    await press(page.getByRole("button", { name: "Undo" }));
    await expectSoon(async () => (await names(page)).length, 12);
    assert.equal((await api(url, token, "GET", "images?state=trashed")).total, 0);

    await page.getByRole("searchbox").fill("1");
    await expectSoon(() => names(page), ["11.png", "10.png", "1.png"]);
    await press(page.getByRole("link", { name: "Clear the search" }));
    await expectSoon(async () => (await names(page)).length, 12);
    await press(page.getByRole("link", { name: "Favourites" }));
    await page.waitForURL(/favourites=on/);
    await page.waitForSelector("[data-gallery=ready]");
    await expectSoon(() => names(page), ["10.png", "7.png", "4.png"]);

    await press(tile(page, "7.png"));
    await page.locator(".viewer-slide[aria-hidden=false] [data-slide=preview]:not([hidden])").waitFor();
    await page.goBack();
    await page.getByRole("dialog").waitFor({ state: "hidden" });
  });
}

test("a finger on the bar at the side leads through the months", async (t) => {
  const { url } = await vaultOf(t, 120);
  const page = await dashboard(t, url, looks["phone-light"], "/vault?sort=name");
  await page.evaluate(() => scrollTo({ top: 400, behavior: "instant" }));
  const slider = page.getByRole("slider", { name: "Place in the list" });
  await expectSoon(async () => Number(await slider.inputValue()) > 0, true);
  const { x, y, width, height } = await slider.boundingBox();
  const handle = height * Number(await slider.inputValue());
  const touch = await page.context().newCDPSession(page);
  const at = (part) => [{ x: x + width / 2, y: y + height * part }];
  // A finger beside the handle scrolls, as anywhere.
  await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x: x + width / 2, y: y + 22 + handle * 0.9 }] });
  for (const part of [0.3, 0.6, 0.95]) await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at(part) });
  await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await expectSoon(() => page.evaluate(() => scrollY > (document.documentElement.scrollHeight - innerHeight) * 0.7), true);
  await tile(page, "99.png").waitFor();
});

for (const [wish, moves] of Object.entries({ "no-preference": true, reduce: false })) {
  test(`who asks for calm gets it: motion is ${moves ? "there" : "gone"} with "${wish}"`, async (t) => {
    const { url } = await vaultOf(t, 2);
    const page = await dashboard(t, url, { reducedMotion: wish });
    await tile(page, "1.png").click({ modifiers: ["Control"] });
    const longest = await page.evaluate(() => {
      const times = [...document.querySelectorAll("*")].flatMap((element) => {
        const { transitionDuration, animationDuration } = getComputedStyle(element);
        return `${transitionDuration},${animationDuration}`.split(",").map(parseFloat);
      });
      return Math.max(...times.filter(Number.isFinite));
    });
    assert.equal(longest > 0.01, moves, `${longest} s`);
  });
}

test("the keyboard's picture is never hidden below a bar or the tray", async (t) => {
  const { url } = await vaultOf(t, 80);
  const page = await dashboard(t, url, { viewport: { width: 700, height: 600 } });
  await page.locator("#upload-files").setInputFiles({ name: "broken.png", mimeType: "image/png", buffer: Buffer.from("words") });
  page.expectedComplaints = [/415|422/];
  await page.getByText("1 not added").first().waitFor();
  await tile(page, "79.png").focus();
  await page.keyboard.press("x");
  for (let n = 0; n < 30; n++) {
    await page.keyboard.press(n < 18 ? "ArrowDown" : "ArrowUp");
    const hidden = await page.evaluate(() => {
      const { left, right, top, bottom } = document.activeElement.getBoundingClientRect();
      const seen = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      return document.activeElement.contains(seen) ? "" : `${seen?.className} at ${top}`;
    });
    assert.equal(hidden, "", `after ${n + 1} keys`);
  }
});
