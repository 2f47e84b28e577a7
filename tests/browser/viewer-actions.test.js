// What one does with a picture in the viewer.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

import { expectSoon } from "./gallery.js";
import { download } from "./harness.js";
import { exif, png, sha256 } from "./pictures.js";
import { counts, dialog, gallery, heard, open, owner, press } from "./viewer-steps.js";

const name = (page) => page.locator(".viewer-bar__name").textContent();

test("the details tell what is known, and change what is said about the picture", async (t) => {
  const { page, url, token, images } = await gallery(t, { count: 3 });
  await open(page, 0);
  await page.keyboard.press("i");
  const panel = page.getByRole("region", { name: "Details" });
  const facts = await panel.locator(".viewer-facts").textContent();
  for (const words of ["Dimensions", "328 × 280", "image/png", images[0].sha256]) assert(facts.includes(words), words);
  assert(!facts.includes("Place"), "a picture without a place says nothing of one");

  await panel.getByLabel("Name").fill("harbour.png");
  await panel.getByLabel("Caption").fill("Boats, early");
  await panel.getByLabel("Tags").fill("sea, morning ,");
  await page.keyboard.press("Enter");
  await panel.getByText("Saved.").waitFor();
  assert.equal(await name(page), "harbour.png");
  assert.equal(await page.title(), "harbour.png · Image Vault");
  const saved = await (await owner(url, token, "GET", `images/${images[0].id}`)).json();
  assert.deepEqual([saved.name, saved.caption, saved.tags], ["harbour.png", "Boats, early", ["sea", "morning"]]);
});

test("the details tell the place where the camera noted one, and copy it", async (t) => {
  const there = png(60, 40, [9, 90, 9], exif("2026:05:17 09:08:07", [[52, 31, 12], [13, 24, 36]]));
  const { page } = await gallery(t, { count: 1, more: [["there.png", there]] });
  await open(page, 0);
  await page.keyboard.press("i");
  const details = page.getByRole("region", { name: "Details" });
  await details.getByText("52.52000, 13.41000").waitFor();
  await details.getByText("17 May 2026 at 09:08").waitFor();
  await page.keyboard.press("ArrowRight");
  await details.getByText("52.52000").waitFor({ state: "detached" });
});

test("what is refused is told at its field, and what was typed is kept while one leafs on", async (t) => {
  const { page } = await gallery(t, { count: 2 });
  page.expectedComplaints = [/422/];
  await open(page, 0);
  await page.keyboard.press("i");
  const field = page.getByLabel("Name", { exact: true });
  await field.fill("");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("#viewer-name-error:not([hidden])").waitFor();
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  assert.equal(await page.evaluate(() => document.activeElement.id), "viewer-name-field");
  await expectSoon(async () => /^Not saved\. .+/.test(await heard(page)), true);

  await field.fill("half a na");
  await page.keyboard.press("ArrowLeft");
  await counts(page, "1 of 2");
  await page.keyboard.press("Escape");
  await page.keyboard.press("ArrowRight");
  await counts(page, "2 of 2");
  assert.equal(await field.inputValue(), "colour 2.png");
  await page.keyboard.press("ArrowLeft");
  await counts(page, "1 of 2");
  assert.equal(await field.inputValue(), "half a na");
  await page.getByText("These changes are not saved yet.").waitFor();
});

test("a key or the heart makes a favourite, and unmakes it", async (t) => {
  const { page, url, token, images } = await gallery(t, { count: 2 });
  await open(page, 0);
  const heart = (pressed) => page.locator(`[data-do=favourite][aria-pressed="${pressed}"]`);
  const kept = async () => (await (await owner(url, token, "GET", `images/${images[0].id}`)).json()).favourite;
  for (const [press, favourite] of [[() => page.keyboard.press("."), true], [() => page.keyboard.press("h"), false], [() => page.getByRole("button", { name: "Favourite" }).click(), true]]) {
    const answered = page.waitForResponse((response) => response.request().method() === "PATCH");
    await press();
    await answered;
    await heart(favourite).waitFor();
    // The heart is shown before the answer is read, and the next key goes by what the list holds.
    await page.locator(`.photo[data-index="0"]${favourite ? ".photo--favourite" : ":not(.photo--favourite)"}`).waitFor({ state: "attached" });
    assert.equal(await kept(), favourite);
  }
});

test("Delete moves to the trash at once and shows the next picture; Undo brings it back", async (t) => {
  const { page, url, token, images } = await gallery(t, { count: 3 });
  await open(page, 1);
  await page.keyboard.press("Delete");
  await counts(page, "2 of 2");
  assert.equal(await name(page), "colour 3.png");
  await page.getByText("1 picture moved to the trash").first().waitFor();
  assert.equal((await (await owner(url, token, "GET", `images/${images[1].id}`)).json()).state, "trashed");
  await page.getByRole("button", { name: "Undo" }).click();
  await counts(page, "3 of 3");
  assert.equal(await name(page), "colour 3.png", "the picture that is shown stays");
  await page.keyboard.press("Delete");
  await counts(page, "2 of 2");
  await page.getByText("1 picture moved to the trash").first().waitFor();
  await page.keyboard.press("Control+z");
  await counts(page, "2 of 3");
});

test("the way back from a deletion is still offered after the viewer is closed", async (t) => {
  const { page } = await gallery(t, { count: 3 });
  await open(page, 0);
  await page.keyboard.press("Delete");
  await page.getByText("1 picture moved to the trash").first().waitFor();
  await page.keyboard.press("Escape");
  await dialog(page).waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Undo" }).click();
  await page.locator('.photo[data-index="2"]').waitFor();
});

test("the viewer closes when the last picture is gone", async (t) => {
  const { page, url } = await gallery(t, { count: 2 });
  await open(page, 0);
  await page.keyboard.press("Delete");
  await counts(page, "1 of 1");
  await page.keyboard.press("Delete");
  await dialog(page).waitFor({ state: "hidden" });
  await page.waitForURL(`${url}/vault`);
  await page.getByText("moved to the trash").first().waitFor();
});

test("Shift+Delete asks before it deletes for good", async (t) => {
  const { page, url, token, images } = await gallery(t, { count: 2 });
  await open(page, 0);
  await page.keyboard.press("Shift+Delete");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Cancel" }).waitFor({ state: "detached" });
  await counts(page, "1 of 2");
  assert.equal(await name(page), "colour 1.png");
  await page.keyboard.press("Shift+Delete");
  await page.getByRole("button", { name: "Delete for good" }).click();
  await counts(page, "1 of 1");
  await page.getByText("1 picture deleted for good").first().waitFor();
  assert.equal((await owner(url, token, "GET", `images/${images[0].id}`)).status, 404);
});

test("Shift+D downloads the bytes that were put in", async (t) => {
  const { page, images } = await gallery(t, { count: 2 });
  await open(page, 1);
  const file = await download(page, () => page.keyboard.press("Shift+D"));
  assert.equal(file.name, "colour 2.png");
  assert.equal(sha256(await readFile(file.path)), images[1].sha256);
});

test("in the trash a picture can be looked at, restored and deleted for good", async (t) => {
  const { page, url, token, images } = await gallery(t, { count: 4 });
  for (const { id } of images.slice(0, 3)) assert.equal((await owner(url, token, "DELETE", `images/${id}`)).status, 204);
  await page.goto(`${url}/trash`);
  await open(page, 1);
  await counts(page, "2 of 3");
  assert.equal(await page.getByRole("button", { name: "Favourite" }).count(), 0);
  await page.keyboard.press("i");
  assert.equal(await page.getByLabel("Caption").isVisible(), false, "nothing is edited in the trash");
  await page.getByText("In the trash since").waitFor();
  const before = await name(page);
  await page.getByRole("button", { name: "Restore" }).click();
  await counts(page, "2 of 2");
  assert.notEqual(await name(page), before);
  await page.getByText("1 picture back in your vault").first().waitFor();
  await page.keyboard.press("Delete");
  await page.getByRole("button", { name: "Delete for good" }).last().click();
  await counts(page, "1 of 1");
});
