// Selecting, and what is done with a selection.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

import { checkAccessibility, download, stopClock, stores } from "./harness.js";
import { api, dashboard, expectSelected, expectSoon, names, tile, vaultOf } from "./gallery.js";
import { looks } from "./looks.js";
import { sha256, zipSums } from "./pictures.js";

const phone = looks["phone-dark"];
const corner = { position: { x: 20, y: 20 } };
const total = async (url, token, state) => (await api(url, token, "GET", `images?state=${state}`)).total;
const heard = (page) => page.locator("p[role=status].visually-hidden").last();

test("the corner and Ctrl-click take a picture, and then a click is enough", async (t) => {
  const { url, images } = await vaultOf(t, 6);
  const page = await dashboard(t, url);
  await tile(page, "5.png").click(corner);
  await tile(page, "3.png").click({ modifiers: ["Control"] });
  await tile(page, "1.png").click();
  await expectSelected(page, ["5.png", "3.png", "1.png"]);
  const size = [5, 3, 1].reduce((sum, n) => sum + images[n].size, 0);
  await page.getByText(`3 selected · ${size} B`).waitFor();
  await page.getByText("3 selected", { exact: true }).waitFor({ state: "attached" });
  await checkAccessibility(page, "a selection");
  await tile(page, "3.png").click();
  await expectSelected(page, ["5.png", "1.png"]);
});

test("Shift-click takes a range, shows it before, and can make it smaller", async (t) => {
  const { url } = await vaultOf(t, 8);
  const page = await dashboard(t, url);
  await tile(page, "6.png").click(corner);
  await page.keyboard.down("Shift");
  await tile(page, "3.png").hover();
  await expectSoon(() => page.locator(".photo--in-range").count(), 4);
  await tile(page, "3.png").click();
  await expectSelected(page, ["6.png", "5.png", "4.png", "3.png"]);
  await tile(page, "5.png").click();
  await expectSelected(page, ["6.png", "5.png"]);
  await page.keyboard.up("Shift");
  assert.equal(await page.locator(".photo--in-range").count(), 0);
});

test("a day's heading takes the day, and lets it go", async (t) => {
  const { url } = await vaultOf(t, 4);
  const page = await dashboard(t, url);
  await page.locator(".photos__heading").hover();
  await page.getByRole("button", { name: "Select all of Today" }).click();
  await expectSelected(page, ["3.png", "2.png", "1.png", "0.png"]);
  await page.getByRole("button", { name: "Select all of Today" }).click();
  await expectSelected(page, []);
});

test("the keyboard selects: space, Shift with arrows, the day, everything", async (t) => {
  const { url } = await vaultOf(t, 6);
  const page = await dashboard(t, url);
  await tile(page, "5.png").focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("x");
  await expectSelected(page, ["5.png", "4.png"]);
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Shift+ArrowRight");
  await expectSelected(page, ["5.png", "4.png", "3.png", "2.png"]);
  await page.keyboard.press("Shift+ArrowLeft");
  await expectSelected(page, ["5.png", "4.png", "3.png"]);
  await page.keyboard.press("Escape");
  await expectSelected(page, []);
  await page.keyboard.press("d");
  await expectSoon(async () => (await page.locator(".photo[aria-selected=true]").count()), 6);
  await expectSoon(() => heard(page).textContent(), "6 selected");
});

// R1.32.
test("Ctrl+A takes what is in sight, offers everything, and everything travels as a query", async (t) => {
  const { url, token } = await vaultOf(t, 60);
  const page = await dashboard(t, url, { viewport: { width: 900, height: 600 } });
  await page.locator("body").press("Control+a");
  const offer = page.getByRole("button", { name: "Select all 60" });
  await offer.waitFor();
  const some = await page.locator(".photo[aria-selected=true]").count();
  assert(some > 3 && some < 60, `${some} are in sight`);
  await offer.click();
  await page.getByText("60 selected ·").waitFor();
  await tile(page, "57.png").click();
  await page.getByText("59 selected ·").waitFor();
  const [request] = await Promise.all([page.waitForRequest("**/images/delete"), page.keyboard.press("Delete")]);
  const { query, except, ids } = request.postDataJSON();
  assert.deepEqual([query, except.length, ids], ["", 1, undefined]);
  await expectSoon(() => names(page), ["57.png"]);
  await page.getByRole("button", { name: "Undo" }).click();
  await expectSoon(() => total(url, token, "active"), 60);
});

test("a long press starts a selection on glass, and taps go on with it", async (t) => {
  const { url } = await vaultOf(t, 5);
  const page = await dashboard(t, url, phone);
  const box = await tile(page, "4.png").boundingBox();
  const touch = await page.context().newCDPSession(page);
  const point = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [point] });
  await expectSelected(page, ["4.png"]);
  await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await expectSelected(page, ["4.png"]);
  await tile(page, "2.png").tap();
  await expectSelected(page, ["4.png", "2.png"]);
  await checkAccessibility(page, "a selection on a phone");
});

for (const [store, address] of Object.entries(stores)) {
  test(`Delete moves to the trash at once, and Undo brings exactly those back, on ${store}`, async (t) => {
    const { url, token, images } = await vaultOf(t, 6, address());
    await api(url, token, "DELETE", `images/${images[0].id}`);
    const page = await dashboard(t, url);
    await tile(page, "4.png").click(corner);
    await tile(page, "2.png").click();
    await page.keyboard.press("Delete");
    await expectSoon(() => names(page), ["5.png", "3.png", "1.png"]);
    await page.getByText("2 pictures moved to the trash").first().waitFor();
    await expectSoon(() => total(url, token, "trashed"), 3);
    await page.getByRole("button", { name: "Undo" }).click();
    await expectSoon(() => names(page), ["5.png", "4.png", "3.png", "2.png", "1.png"]);
    assert.equal(await total(url, token, "trashed"), 1);
  });

  test(`a zip of the selection has exactly those bytes, as a plain download, on ${store}`, async (t) => {
    const { url, images } = await vaultOf(t, 6, address());
    const page = await dashboard(t, url);
    for (const n of [5, 3, 0]) await tile(page, `${n}.png`).click({ modifiers: ["Control"] });
    await expectSelected(page, ["5.png", "3.png", "0.png"]);
    const button = page.getByRole("button", { name: "Download" });
    assert.match(await button.getAttribute("title"), /^Download a zip of 3 pictures, \d+ B$/);
    let address_;
    page.on("download", (file) => (address_ = file.url()));
    const zip = await download(page, () => button.click());
    assert.equal(zip.name, "pictures.zip");
    assert.deepEqual(zipSums(zip.path), new Map([5, 3, 0].map((n) => [images[n].name, images[n].sha256])));
    assert(address_.startsWith(url), "the bytes are held in the tab");
  });
}

test("the bar's buttons do what they say, and leave the focus on the grid", async (t) => {
  const { url, token } = await vaultOf(t, 6);
  const page = await dashboard(t, url);
  const bar = page.getByRole("group", { name: "Selected pictures" });
  const onGrid = () => page.evaluate(() => document.activeElement.closest(".photo") !== null);
  const pick = async (...numbers) => {
    for (const n of numbers) await tile(page, `${n}.png`).click({ modifiers: ["Control"] });
  };
  await pick(5, 3);
  await bar.getByRole("button", { name: "Favourite" }).click();
  await page.getByText("2 pictures marked as favourite").first().waitFor();
  await expectSelected(page, []);
  assert.equal((await api(url, token, "GET", "images?favourite=true")).total, 2);
  await expectSoon(onGrid, true);
  await pick(4, 2, 0);
  await bar.getByRole("button", { name: "Clear the selection" }).click();
  await expectSelected(page, []);
  await expectSoon(onGrid, true);
  assert.equal(await total(url, token, "active"), 6);
  await pick(4, 2);
  await bar.getByRole("button", { name: "Delete" }).click();
  await expectSoon(() => names(page), ["5.png", "3.png", "1.png", "0.png"]);
  await expectSoon(onGrid, true);
  await expectSoon(() => total(url, token, "trashed"), 2);
});

test("what was deleted for good on another device is left out, and the rest is done", async (t) => {
  const { url, token, images } = await vaultOf(t, 6);
  const page = await dashboard(t, url);
  page.expectedComplaints = [/404/];
  for (const n of [5, 3, 1]) await tile(page, `${n}.png`).click({ modifiers: ["Control"] });
  await api(url, token, "DELETE", `images/${images[3].id}?permanent=true`);
  await page.getByRole("group", { name: "Selected pictures" }).getByRole("button", { name: "Favourite" }).click();
  await page.getByText("2 pictures marked as favourite").first().waitFor();
  await expectSoon(() => names(page), ["5.png", "4.png", "2.png", "1.png", "0.png"]);
  // Nothing is left of what was meant: said in words, and the list is right again.
  await tile(page, "2.png").click({ modifiers: ["Control"] });
  await api(url, token, "DELETE", `images/${images[2].id}?permanent=true`);
  await page.keyboard.press("Delete");
  await page.getByText("1 of the chosen pictures is not in your vault").first().waitFor();
  await expectSoon(() => names(page), ["5.png", "4.png", "1.png", "0.png"]);
  await expectSelected(page, []);
});

test("one picture comes as it is, not in a zip", async (t) => {
  const { url, images } = await vaultOf(t, 3);
  const page = await dashboard(t, url);
  await tile(page, "1.png").focus();
  const file = await download(page, () => page.keyboard.press("Shift+D"));
  assert.equal(file.name, "1.png");
  assert.equal(sha256(await readFile(file.path)), images[1].sha256);
});

test("the way back stays for ten seconds, and then leaves", async (t) => {
  const { url } = await vaultOf(t, 3);
  const page = await dashboard(t, url);
  await expectSoon(async () => (await names(page)).length, 3);
  await stopClock(page);
  await tile(page, "1.png").focus();
  await page.keyboard.press("Delete");
  await page.getByRole("button", { name: "Undo" }).waitFor();
  await page.clock.runFor(10_000);
  assert.equal(await page.getByRole("button", { name: "Undo" }).count(), 1);
  await page.clock.runFor(5_000);
  assert.equal(await page.getByRole("button", { name: "Undo" }).count(), 0);
});

test("Ctrl+Z takes the last deletion back", async (t) => {
  const { url } = await vaultOf(t, 3);
  const page = await dashboard(t, url);
  await tile(page, "1.png").focus();
  await page.keyboard.press("Delete");
  await expectSoon(() => names(page), ["2.png", "0.png"]);
  await page.getByRole("button", { name: "Undo" }).waitFor();
  await page.keyboard.press("Control+z");
  await expectSoon(() => names(page), ["2.png", "1.png", "0.png"]);
});

test("Shift+Delete asks first, naming the number, and Esc takes one step back at a time", async (t) => {
  const { url, token } = await vaultOf(t, 5);
  const page = await dashboard(t, url);
  await tile(page, "4.png").click(corner);
  await tile(page, "2.png").click();
  await page.keyboard.press("Shift+Delete");
  const question = page.getByRole("dialog", { name: "Delete 2 pictures for good?" });
  await question.waitFor();
  await checkAccessibility(page, "the question before deleting for good");
  await page.keyboard.press("Escape");
  await question.waitFor({ state: "hidden" });
  await expectSelected(page, ["4.png", "2.png"]);
  await page.keyboard.press("Shift+Delete");
  await page.getByRole("button", { name: "Delete for good" }).click();
  await expectSoon(() => names(page), ["3.png", "1.png", "0.png"]);
  await expectSoon(() => total(url, token, "active"), 3);
  assert.equal(await total(url, token, "trashed"), 0);
});

test("what could not be deleted comes back, with the reason", async (t) => {
  const { url } = await vaultOf(t, 4);
  const page = await dashboard(t, url);
  page.expectedComplaints = [/503/];
  await page.route("**/images/delete", (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify({ detail: "The storage cannot be reached right now." }) }));
  await tile(page, "2.png").focus();
  await page.keyboard.press("Delete");
  await page.getByText("The storage cannot be reached right now.").first().waitFor();
  await expectSoon(() => names(page), ["3.png", "2.png", "1.png", "0.png"]);
});

test("a session that has ended is renewed in place, and the deletion goes through", async (t) => {
  const { url, token } = await vaultOf(t, 3);
  const page = await dashboard(t, url);
  page.expectedComplaints = [/401/];
  await page.context().clearCookies();
  await tile(page, "1.png").focus();
  await page.keyboard.press("Delete");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Password", { exact: true }).fill("correct horse battery staple");
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await expectSoon(() => total(url, token, "trashed"), 1);
  await expectSoon(() => names(page), ["2.png", "0.png"]);
});

test("the trash gives back and deletes for good", async (t) => {
  const { url, token, images } = await vaultOf(t, 4);
  for (const n of [0, 1, 2]) await api(url, token, "DELETE", `images/${images[n].id}`);
  const page = await dashboard(t, url, {}, "/trash");
  await expectSoon(() => names(page), ["2.png", "1.png", "0.png"]);
  await checkAccessibility(page, "the trash");
  await tile(page, "1.png").click(corner);
  await page.getByRole("button", { name: "Restore" }).click();
  await expectSoon(() => names(page), ["2.png", "0.png"]);
  // The page shows it before the server has done it.
  await expectSoon(() => total(url, token, "active"), 2);
  await page.getByRole("button", { name: "Select all" }).first().click();
  await page.getByRole("button", { name: "Delete for good" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete for good" }).click();
  await page.getByText("The trash is empty").waitFor();
  assert.equal(await total(url, token, "active"), 2, "what is in the vault stays");
});
