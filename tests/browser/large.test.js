// A hundred thousand pictures: the grid stays light, loads what is looked at, and always shows the right ones.
// They are records only (`examples/seed_records.rs`, made by `cargo build --examples`), so each thumbnail is answered here.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { promisify } from "node:util";

import { layOut, measuresFor } from "../../static/js/lib/grid/justified.js";
import { openPage, password, pictureCount, register, root, signIn, startServer } from "./harness.js";
import { png } from "./pictures.js";

const COUNT = 100_000;
const MOST_ELEMENTS = 1_500;
const MOST_A_PAGE = 200;
const SCREENS = {
  "a desktop": { viewport: { width: 1280, height: 800 } },
  "a phone": { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
  "a wall": { viewport: { width: 3840, height: 2160 } },
};
const thumbnail = png(40, 30, [90, 120, 60]);

/** Says how long something took; nothing depends on it. */
async function timed(t, what, work) {
  const start = performance.now();
  const result = await work();
  t.diagnostic(`${what}: ${Math.round(performance.now() - start)} ms`);
  return result;
}

/** A server with the records, and the names in the order in which the vault is shown. */
async function largeVault(t) {
  // No disk: each record is a transaction of its own, and would wait for one.
  const dataDir = await mkdtemp(path.join(existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir(), "image-vault-large-"));
  const url = await startServer(t, "embedded", dataDir);
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const token = await register(url);
  const seed = path.join(root, "target/debug/examples/seed_records");
  await timed(t, "seeding", () => promisify(execFile)(seed, ["embedded", dataDir, "wanda", password, String(COUNT)]));
  const get = async (where) => {
    const answer = await fetch(`${url}/api/v1/${where}`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(answer.status, 200);
    return answer.json();
  };
  await timed(t, "the first timeline, with all records to open", () => get("timeline?sort=-taken_at"));
  const timeline = await timed(t, "the next timeline", () => get("timeline?sort=-taken_at"));
  const names = await timed(t, "walking the list", async () => {
    const found = [];
    for (let cursor = ""; cursor !== null; ) {
      const page = await get(`images?sort=-taken_at&limit=500${cursor && `&cursor=${cursor}`}`);
      found.push(...page.items.map(({ name }) => name));
      cursor = page.next_cursor;
    }
    return found;
  });
  assert.equal(new Set(names).size, COUNT);
  return { url, token, timeline, names };
}

/** A signed-in page of the vault; `asked` gathers what it wanted from the list. */
async function openLarge(t, { url }, options, query = "") {
  const page = await openPage(t, options);
  await page.route(/\/(thumbnail|preview)$/, (route) => route.fulfill({ contentType: "image/png", body: thumbnail }));
  const asked = [];
  page.on("request", (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname === "/api/v1/images" && request.method() === "GET") asked.push(searchParams);
  });
  await signIn(page, url);
  await timed(t, "from the address to the first tiles", async () => {
    await page.goto(`${url}/vault?sort=-taken_at${query}`);
    await rested(page);
  });
  return { page, asked };
}

/** The tiles in sight once each has its picture, as [index, what is said about it]. */
async function rested(page) {
  const tiles = await page.waitForFunction(() => {
    const inSight = [...document.querySelectorAll("[data-gallery=ready] .photo")].filter((tile) => {
      const { top, bottom } = tile.getBoundingClientRect();
      return bottom > 0 && top < innerHeight;
    });
    const dressed = inSight.every((tile) => tile.hasAttribute("aria-label") && tile.querySelector("img")?.naturalWidth > 0);
    return inSight.length > 0 && dressed && inSight.map((tile) => [Number(tile.dataset.index), tile.getAttribute("aria-label")]);
  });
  return tiles.jsonValue();
}

async function checkTiles(page, names) {
  const tiles = await rested(page);
  for (const [index, label] of tiles) assert.equal(label.split(",")[0], names[index], `the picture at ${index}`);
  assert.deepEqual(tiles.map(([index]) => index), tiles.map((_, n) => tiles[0][0] + n), "a tile is missing");
  return tiles;
}

/** Scrolls to each of these parts of the way, a frame each; the most elements there were, and all heights of the page. */
function scrollThrough(page, parts) {
  return page.evaluate(async (all) => {
    const way = document.documentElement.scrollHeight - innerHeight;
    const seen = { elements: 0, heights: [] };
    for (const part of all) {
      scrollTo({ top: way * part, behavior: "instant" });
      // Comes after the event of scrolling, in the same frame.
      await new Promise(requestAnimationFrame);
      seen.elements = Math.max(seen.elements, document.querySelectorAll("*").length);
      const { scrollHeight } = document.documentElement;
      if (!seen.heights.includes(scrollHeight)) seen.heights.push(scrollHeight);
    }
    return seen;
  }, parts);
}

/** The layout that this page must have. */
async function layoutOf(page, { timeline }) {
  const [width, screen] = await page.evaluate(() => [document.querySelector(".photos").clientWidth, innerWidth]);
  return layOut(timeline.sections, Uint8Array.from(Buffer.from(timeline.ratios, "base64")), measuresFor(width, screen));
}

/** Where on the way a screen holds the most pictures. */
function densest({ rows, height }, screen) {
  const within = (row) => rows.filter(({ top }) => Math.abs(top - row.top) < screen).reduce((sum, { from, to }) => sum + to - from, 0);
  const some = rows.filter((row) => row.to - row.from > 1).sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, 100);
  return some.sort((a, b) => within(b) - within(a))[0].top / height;
}

test("a vault of 100,000 pictures", { timeout: 1_200_000 }, async (t) => {
  const vault = await largeVault(t);
  const { names, url, token } = vault;

  for (const [name, screen] of Object.entries(SCREENS)) {
    await t.test(`is as high as it will be at once on ${name}, and holds few elements from end to end`, async (t) => {
      const { page, asked } = await openLarge(t, vault, screen);
      const layout = await layoutOf(page, vault);
      const [photos, height] = await page.evaluate(() => [document.querySelector(".photos").offsetHeight, document.documentElement.scrollHeight]);
      assert(Math.abs(photos - layout.height) < 2, `${photos} px for a layout of ${layout.height} px`);
      assert(height > photos && height < photos + 1_000, `the page is ${height} px high, the pictures ${photos} px`);

      let elements = 0;
      const scroll = async (parts) => {
        const seen = await scrollThrough(page, parts);
        assert.deepEqual(seen.heights, [height], "the height changed while scrolling");
        elements = Math.max(elements, seen.elements);
        const tiles = await checkTiles(page, names);
        elements = Math.max(elements, await page.evaluate(() => document.querySelectorAll("*").length));
        assert(elements < MOST_ELEMENTS, `${elements} elements`);
        return tiles;
      };
      for (let leg = 0; leg < 20; leg += 1) await scroll(Array.from({ length: 20 }, (_, step) => (leg * 20 + step + 1) / 400));
      assert.equal((await checkTiles(page, names)).at(-1)[0], COUNT - 1, "the end is not the last picture");
      for (const part of [0.5, 0.02, 0.97, densest(layout, screen.viewport.height), 0.333]) await scroll([part]);
      const back = await scroll([0.8, 0.6, 0.4, 0.2, 0]);
      assert.equal(back[0][0], 0, "the beginning is not the first picture");

      t.diagnostic(`at most ${elements} elements; ${asked.length} pages asked for`);
      for (const parameters of asked) assert(Number(parameters.get("limit")) <= MOST_A_PAGE, parameters.toString());
      assert(asked.filter((parameters) => !parameters.has("cursor")).length <= 3, "pages are found by cursor");
    });
  }

  await t.test("is scrolled by the wheel without a hole", async (t) => {
    const { page } = await openLarge(t, vault, SCREENS["a desktop"]);
    await page.mouse.move(600, 500);
    for (let turn = 0; turn < 10; turn += 1) {
      const before = await page.evaluate(() => scrollY);
      await page.mouse.wheel(0, 2_500);
      await page.waitForFunction((y) => scrollY > y, before);
      await checkTiles(page, names);
    }
  });

  await t.test("leads to a year by the bar at the side", async (t) => {
    const { page } = await openLarge(t, vault, SCREENS["a desktop"]);
    const bar = page.getByRole("slider", { name: "Place in the list" });
    const labels = await page.locator(".scrubber__labels span").evaluateAll((all) => all.map((one) => [one.textContent, one.getBoundingClientRect().toJSON()]));
    assert(labels.length > 5, `only ${labels.length} years beside the bar`);
    for (const [year, { x, top, height }] of [labels[4], labels[1], labels.at(-2)]) {
      // A label stands where its year begins.
      await page.mouse.click(x + 10, top + height / 2 + 15);
      await page.waitForFunction((text) => document.querySelector(".scrubber__slider").getAttribute("aria-valuetext").endsWith(text), year);
      for (const [, words] of await checkTiles(page, names)) assert.match(words, new RegExp(` ${year} at `));
    }
    await bar.focus();
    await page.keyboard.press("End");
    await page.waitForFunction(() => innerHeight + scrollY >= document.documentElement.scrollHeight - 200);
    assert((await checkTiles(page, names)).at(-1)[0] > COUNT - 50);
  });

  await t.test("is walked from end to end by the keyboard", async (t) => {
    const { page } = await openLarge(t, vault, SCREENS["a desktop"]);
    const standsOn = (index) => page.waitForFunction((label) => document.activeElement?.getAttribute("aria-label")?.startsWith(label), `${names[index]},`);
    await page.locator(".photo").first().focus();
    for (const [key, index] of [["End", COUNT - 1], ["ArrowLeft", COUNT - 2], ["Home", 0], ["ArrowRight", 1], ["End", COUNT - 1], ["Home", 0]]) {
      await page.keyboard.press(key);
      await standsOn(index);
      await checkTiles(page, names);
    }
  });

  await t.test("is selected as a whole, which travels as a query", async (t) => {
    const { page } = await openLarge(t, vault, SCREENS["a desktop"]);
    const bodies = [];
    await page.route("**/api/v1/archives", (route) => {
      bodies.push(route.request().postDataJSON());
      return route.fulfill({ status: 201, json: { url: "/api/v1/archives/ticket", filename: "pictures.zip", size: 3, entries: COUNT } });
    });
    await page.route("**/archives/ticket", (route) => route.fulfill({ headers: { "content-disposition": "attachment" }, body: "zip" }));
    const bar = page.getByRole("group", { name: "Selected pictures" });
    await page.keyboard.press("Control+a");
    await bar.getByRole("button", { name: "Select all 100,000" }).waitFor();
    await page.keyboard.press("Control+a");
    await bar.getByText("100,000 selected").waitFor();
    await Promise.all([page.waitForEvent("download"), bar.getByRole("button", { name: "Download" }).click()]);
    await page.locator(".photo").nth(1).click({ modifiers: ["Control"] });
    await bar.getByText("99,999 selected").waitFor();
    await Promise.all([page.waitForEvent("download"), page.keyboard.press("Shift+D")]);
    const everything = { query: "", favourite_only: false, state: "active" };
    const left = await page.locator(".photo").nth(1).getAttribute("data-id");
    assert.deepEqual(bodies, [
      { ...everything, except: [], count: COUNT },
      { ...everything, except: [left], count: COUNT - 1 },
    ]);
    // What is drawn later is selected as well.
    await page.keyboard.press("Control+a");
    await scrollThrough(page, [0.5]);
    await rested(page);
    assert.equal(await page.locator(".photo[aria-selected=false]").count(), 0);
  });

  await t.test("is searched, and all that match but one go to the trash and come back", async (t) => {
    const { page } = await openLarge(t, vault, SCREENS["a desktop"], "&q=img_042");
    const matching = names.filter((name) => name.startsWith("IMG_042"));
    await checkTiles(page, matching);
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Control+a");
    await page.getByText("1,000 selected").first().waitFor();
    await page.locator(".photo").first().click({ modifiers: ["Control"] });
    await page.getByText("999 selected").first().waitFor();
    const call = page.waitForRequest("**/api/v1/images/delete");
    await page.keyboard.press("Delete");
    const { ids, query, except } = (await call).postDataJSON();
    assert.deepEqual([ids, query, except.length], [undefined, "img_042", 1]);
    await page.getByText("999 pictures moved to the trash").first().waitFor();
    // It stays while the pointer is on it.
    await page.locator(".toast", { hasText: "999 pictures moved" }).hover();
    await page.waitForFunction(() => document.querySelectorAll(".photo").length === 1);
    await checkTiles(page, [matching[0]]);
    assert.equal(await pictureCount(url, token), COUNT - 999);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("999 pictures back in your vault").first().waitFor();
    await page.waitForFunction(() => document.querySelectorAll(".photo").length > 1);
    await checkTiles(page, matching);
    assert.equal(await pictureCount(url, token), COUNT);
  });
});
