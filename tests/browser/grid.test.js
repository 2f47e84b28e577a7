// The grid: how pictures stand, come, are found and sorted.

import assert from "node:assert/strict";
import test from "node:test";

import { checkAccessibility, openPage, ready, register, signIn, startServer, upload } from "./harness.js";
import { api, dashboard, expectSoon, names, open, tile, vaultOf } from "./gallery.js";
import { looks } from "./looks.js";
import { exif, png } from "./pictures.js";

const phone = looks["phone-light"];
const shapes = (page) => page.locator(".photo").evaluateAll((tiles) => tiles.map((tile) => JSON.stringify(tile.getBoundingClientRect())));

for (const [screen, options] of Object.entries({ desktop: {}, phone })) {
  test(`rows are filled to the edge, in order, and nothing moves when pictures arrive, on a ${screen}`, async (t) => {
    const { url } = await vaultOf(t, 30);
    const page = await openPage(t, options);
    await signIn(page, url);
    let letThrough;
    const held = new Promise((resolve) => (letThrough = resolve));
    await page.route("**/thumbnail", async (route) => {
      await held;
      await route.continue();
    });
    await open(page, `${url}/vault`);
    await page.locator(".photo canvas").first().waitFor();
    const before = await shapes(page);
    const edges = await page.evaluate(() => {
      const grid = document.querySelector(".photos").getBoundingClientRect();
      const rows = [...document.querySelectorAll(".photos__row")].slice(0, 3);
      return rows.map((row) => Math.abs(row.lastElementChild.getBoundingClientRect().right - grid.right));
    });
    assert(edges.every((edge) => edge < 2), `rows end ${edges} px from the edge`);
    letThrough();
    await page.waitForFunction(() => [...document.querySelectorAll(".photo img")].length > 5 && document.querySelectorAll(".photo canvas").length === 0);
    assert.deepEqual(await shapes(page), before);
    assert.equal((await names(page))[0], "29.png", "the newest is the first");
  });
}

test("as soon as the grid is there its pictures stand where they will", async (t) => {
  const { url } = await vaultOf(t, 12);
  const page = await openPage(t);
  await page.addInitScript(() => {
    globalThis.places = () => [...document.querySelectorAll(".photo")].map((tile) => [tile.style.cssText, tile.parentElement.style.cssText]);
    // Before a frame is drawn.
    new MutationObserver((_, observer) => {
      if (!document.querySelector("[data-gallery=ready]")) return;
      observer.disconnect();
      globalThis.first = globalThis.places();
    }).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-gallery"] });
  });
  await signIn(page, url);
  await open(page, `${url}/vault`);
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  const places = await page.evaluate(() => globalThis.places());
  assert.equal(places.length, 12);
  assert.deepEqual(await page.evaluate(() => globalThis.first), places);
});

test("a picture that comes while the list is still on its way is not missed", async (t) => {
  const { url, token } = await vaultOf(t, 2);
  const page = await openPage(t);
  await signIn(page, url);
  await ready(page);
  const meanwhile = async (route) => {
    const response = await route.fetch();
    await upload(url, token, "new.png", png(40, 30, [1, 2, 3]));
    await page.evaluate(() => document.dispatchEvent(new CustomEvent("pictures-added", { detail: { pictures: [] } })));
    await route.fulfill({ response });
  };
  await page.route("**/api/v1/timeline*", meanwhile, { times: 1 });
  await open(page, `${url}/vault`);
  await expectSoon(() => names(page), ["new.png", "1.png", "0.png"]);
});

test("pictures are grouped by the day they were taken or added, with a heading", async (t) => {
  const { url } = await vaultOf(t, 3);
  const page = await dashboard(t, url);
  assert.deepEqual(await page.locator(".photos h2").allTextContents(), ["Today"]);
  await checkAccessibility(page, "the grid");
});

test("each day has its heading, the last two in words", async (t) => {
  const url = await startServer(t);
  const token = await register(url);
  const now = new Date();
  const noon = (daysAgo) => {
    const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() - daysAgo);
    return `${day.getFullYear()}:${String(day.getMonth() + 1).padStart(2, "0")}:${String(day.getDate()).padStart(2, "0")} 12:00:00`;
  };
  const taken = [noon(0), noon(1), noon(1), "2021:05:12 12:00:00", "1999:12:31 23:59:59"];
  for (const [n, time] of taken.entries()) await upload(url, token, `${n}.png`, png(40, 30, [n * 50, 8, 8], exif(time, [[52, 31, 12], [13, 24, 36]])));
  const page = await dashboard(t, url, {}, "/vault?sort=-taken_at");
  assert.deepEqual(await page.locator(".photos h2").allTextContents(), ["Today", "Yesterday", "Wed, 12 May 2021", "Fri, 31 December 1999"]);
  assert.deepEqual((await names(page)).slice(3), ["3.png", "4.png"]);
});

test("another order has headings of its own", async (t) => {
  const url = await startServer(t);
  const token = await register(url);
  for (const [at, name] of ["anna.png", "Ärger.png", "bob.png", "7.png"].entries()) await upload(url, token, name, png(30, 20, [at * 50, 9, 9]));
  const page = await dashboard(t, url, {}, "/vault?sort=name");
  assert.deepEqual(await page.locator(".photos h2").allTextContents(), ["0–9", "A", "B"]);
  await page.locator("summary", { hasText: "Name" }).click();
  await page.getByRole("link", { name: "Largest" }).click();
  await page.waitForURL(/sort=-size/);
  await page.waitForSelector("[data-gallery=ready]");
  assert.deepEqual(await page.locator(".photos h2").allTextContents(), ["Below 1 MiB"]);
});

test("the search box narrows the grid while one types, and the address keeps the words", async (t) => {
  const { url } = await vaultOf(t, 12);
  const page = await dashboard(t, url);
  await page.keyboard.press("/");
  await page.keyboard.type("1");
  await expectSoon(() => names(page), ["11.png", "10.png", "1.png"]);
  assert.equal(new URL(page.url()).searchParams.get("q"), "1");
  await page.reload();
  await page.waitForSelector("[data-gallery=ready]");
  await expectSoon(() => names(page), ["11.png", "10.png", "1.png"]);
  await page.keyboard.press("/");
  await page.keyboard.type("no such picture");
  await page.getByText("Nothing matches").waitFor();
  await checkAccessibility(page, "a search without a hit");
  await page.keyboard.press("Escape");
  await expectSoon(async () => (await names(page)).length, 12);
  assert(!page.url().includes("q="));
});

test("another order and the favourites keep the words that were typed", async (t) => {
  const { url } = await vaultOf(t, 12);
  const page = await dashboard(t, url);
  await page.getByRole("searchbox").fill("1");
  await expectSoon(() => names(page), ["11.png", "10.png", "1.png"]);
  await page.locator("summary", { hasText: "Last added" }).click();
  await page.getByRole("link", { name: "Name" }).click();
  await page.waitForURL(/sort=name/);
  await page.waitForSelector("[data-gallery=ready]");
  await expectSoon(() => names(page), ["1.png", "10.png", "11.png"]);
  await page.getByRole("link", { name: "Favourites" }).click();
  await page.waitForURL(/favourites=on/);
  assert.equal(await page.getByRole("searchbox").inputValue(), "1");
});

test("the cross clears the words, and the title tells what is searched for", async (t) => {
  const { url } = await vaultOf(t, 12);
  const page = await dashboard(t, url);
  const cross = page.getByRole("link", { name: "Clear the search" });
  assert(!(await cross.isVisible()), "there is nothing to clear");
  await page.getByRole("searchbox").fill("11");
  await expectSoon(() => names(page), ["11.png"]);
  assert.equal(await page.title(), "11 · Image Vault");
  await cross.click();
  await expectSoon(async () => (await names(page)).length, 12);
  assert.equal(await page.title(), "Vault · Image Vault");
  assert.equal(await page.evaluate(() => document.activeElement.type), "search");
  await page.getByRole("link", { name: "Image Vault" }).click();
  await page.waitForSelector("[data-gallery=ready]");
  assert.equal(page.url(), `${url}/vault`, "the logo leads home");
});

test("a favourite is marked with one key and found again", async (t) => {
  const { url } = await vaultOf(t, 5);
  const page = await dashboard(t, url);
  await tile(page, "3.png").focus();
  await page.keyboard.press(".");
  await page.locator(".photo--favourite[aria-label$=favourite]").waitFor();
  await page.getByRole("link", { name: "Favourites" }).click();
  await page.waitForSelector("[data-gallery=ready]");
  await expectSoon(() => names(page), ["3.png"]);
  await tile(page, "3.png").focus();
  await page.keyboard.press(".");
  await page.getByText("No favourites").waitFor();
});

test("all favourites lose their mark at once, also those that are not loaded", async (t) => {
  const { url, token, images } = await vaultOf(t, 6);
  await api(url, token, "POST", "images/favourite", { ids: images.slice(0, 4).map(({ id }) => id), favourite: true });
  const page = await dashboard(t, url, {}, "/vault?favourites=on");
  await page.getByRole("button", { name: "Select all" }).first().click();
  await page.getByText("4 selected ·").waitFor();
  await page.getByRole("group", { name: "Selected pictures" }).getByRole("button", { name: "Favourite" }).click();
  await page.getByText("4 pictures no longer favourite").first().waitFor();
  await page.getByText("No favourites").waitFor();
});

test("an empty vault shows where to drop, until the first picture is in, and again after the last has gone", async (t) => {
  const url = await startServer(t);
  await register(url);
  const page = await dashboard(t, url);
  const invitation = page.getByText("Your vault is ready");
  await invitation.waitFor();
  await page.locator("#upload-files").setInputFiles({ name: "first.png", mimeType: "image/png", buffer: png(40, 30, [1, 2, 3]) });
  await tile(page, "first.png").waitFor();
  assert(!(await invitation.isVisible()));
  await tile(page, "first.png").focus();
  await page.keyboard.press("Delete");
  await invitation.waitFor();
});

test("names of every kind are text, in the grid and in the viewer", async (t) => {
  const url = await startServer(t);
  const token = await register(url);
  const hostile = ["<img src=x onerror=alert(1)>.png", '"onfocus="alert(1)".png', "\u202egnp.exe\u202c.png", "صورة من البحر.png", "x".repeat(1_000) + ".png"];
  for (const [at, name] of hostile.entries()) await upload(url, token, name, png(30, 20 + at, [at * 40, 7, 7]));
  const page = await dashboard(t, url, phone);
  const labels = await page.locator(".photo[aria-label]").evaluateAll((tiles) => tiles.map((tile) => tile.getAttribute("aria-label")));
  for (const name of hostile) assert(labels.some((label) => label.startsWith(name)), `${name} is not told as it is`);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert(overflow <= 0, `the page is ${overflow} px too wide`);
  await page.locator(".photo").first().tap();
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await checkAccessibility(page, "a grid of hostile names");
});

test("the keyboard alone walks the grid: one stop for Tab, arrows for the rest", async (t) => {
  const { url } = await vaultOf(t, 40);
  const page = await dashboard(t, url);
  const stops = await page.locator(".photos [tabindex='0']").count();
  assert.equal(stops, 1, "Tab stops in the grid");
  await tile(page, "39.png").focus();
  const at = () => page.evaluate(() => document.activeElement.getAttribute("aria-label")?.split(",")[0]);
  await page.keyboard.press("ArrowRight");
  assert.equal(await at(), "38.png");
  await page.keyboard.press("ArrowDown");
  const below = await at();
  await page.keyboard.press("ArrowUp");
  assert.equal(await at(), "38.png", `back from ${below}`);
  await page.keyboard.press("End");
  assert.equal(await at(), "0.png");
  await page.keyboard.press("Home");
  assert.equal(await at(), "39.png");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await expectSoon(at, "39.png");
});

test("pictures that somebody takes away elsewhere leave no hole", async (t) => {
  const { url, token, images } = await vaultOf(t, 8);
  const page = await dashboard(t, url);
  await api(url, token, "DELETE", `images/${images[4].id}`);
  await page.reload();
  await page.waitForSelector("[data-gallery=ready]");
  await expectSoon(async () => (await names(page)).length, 7);
});

test("where the storage is away the page says so and keeps the plain grid", async (t) => {
  const { url } = await vaultOf(t, 3);
  const page = await openPage(t);
  page.expectedComplaints = [/503/];
  await signIn(page, url);
  await page.route("**/api/v1/timeline*", (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify({ detail: "The storage cannot be reached right now." }) }));
  await page.goto(`${url}/vault`);
  await page.locator(".toast__words", { hasText: "The storage cannot be reached right now." }).waitFor();
  assert.equal(await page.locator(".grid .tile").count(), 3);
  await page.unroute("**/api/v1/timeline*");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.waitForSelector("[data-gallery=ready]");
});

test("the head of the page names every script that the page loads, so that they come at once", async (t) => {
  const { url } = await vaultOf(t, 3);
  const page = await openPage(t);
  await signIn(page, url);
  for (const path of ["/vault", "/trash"]) {
    await page.goto(url + path);
    await ready(page);
    const [loaded, named] = await page.evaluate(() => {
      const scripts = performance.getEntriesByType("resource").map((entry) => new URL(entry.name).pathname);
      const links = [...document.querySelectorAll("link[rel=modulepreload]")].map((link) => new URL(link.href).pathname);
      return [scripts.filter((script) => script.endsWith(".js")), links];
    });
    assert(loaded.length > 30, `${path}: ${loaded.length} scripts`);
    assert.deepEqual([...new Set(loaded)].sort(), [...named].sort(), path);
  }
});
