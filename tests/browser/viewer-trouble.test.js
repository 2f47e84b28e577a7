// The viewer when something goes wrong, or changes under its eyes.

import assert from "node:assert/strict";
import test from "node:test";

import { upload } from "./harness.js";
import { png } from "./pictures.js";
import { colour, counts, dialog, gallery, open, owner, press, shown } from "./viewer-steps.js";

const name = (page) => page.locator(".viewer-bar__name").textContent();

test("the viewer stays with its picture while others come and go", async (t) => {
  const { page, url, token, images } = await gallery(t);
  await open(page, 1);
  const newest = await upload(url, token, "new.png", colour(40));
  await page.evaluate((pictures) => document.dispatchEvent(new CustomEvent("pictures-added", { detail: { pictures } })), [newest]);
  await counts(page, "3 of 6");
  assert.equal(await page.locator(".viewer-bar__name").textContent(), images[1].name);
  await owner(url, token, "DELETE", `images/${newest.id}`);
  await page.evaluate(() => document.dispatchEvent(new CustomEvent("pictures-added", { detail: { pictures: [] } })));
  await counts(page, "2 of 5");
  await page.keyboard.press("ArrowRight");
  await counts(page, "3 of 5");
  assert.equal(await page.locator(".viewer-bar__name").textContent(), images[2].name);
});
test("a picture that cannot be shown says why, and is tried again", async (t) => {
  const { page, images } = await gallery(t, { count: 3 });
  page.expectedComplaints = [/500|ERR_FAILED|ERR_INTERNET/];
  let fault = "damaged";
  await page.route(`**/${images[1].id}/preview`, (route) => {
    if (fault === "damaged") return route.fulfill({ status: 500, contentType: "application/problem+json", body: JSON.stringify({ detail: "What is stored no longer matches its checksum." }) });
    return fault === "offline" ? route.abort() : route.continue();
  });
  await press(page, 1);
  await page.getByRole("alert").getByText("no longer matches its checksum").waitFor();
  fault = "offline";
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("alert").getByText("The server cannot be reached").waitFor();
  // Others can be looked at, and it can be come back to.
  await page.keyboard.press("ArrowRight");
  await shown(page);
  assert.equal(await page.getByRole("alert").isVisible(), false);
  fault = "";
  await page.keyboard.press("ArrowLeft");
  await shown(page);
});

test("a picture that was deleted elsewhere says so, and the next one is shown", async (t) => {
  const { page, url, token, images } = await gallery(t, { count: 3 });
  page.expectedComplaints = [/404/];
  await owner(url, token, "DELETE", `images/${images[1].id}?permanent=true`);
  await press(page, 1);
  await page.getByText("“colour 2.png” is no longer in your vault.").waitFor();
  await counts(page, "2 of 2");
  assert.equal(await name(page), "colour 3.png");
  await shown(page);
});

test("where the end of the list was deleted elsewhere, End leads to what is the last picture now", async (t) => {
  // More than one page of the list, so that its end is not loaded.
  const more = Array.from({ length: 203 }, (_, n) => [`${n}.png`, png(24, 20, [n, n >> 1, 9])]);
  const { page, url, token, images } = await gallery(t, { count: 0, more });
  await open(page, 0);
  for (const { id } of images.slice(-2)) assert.equal((await owner(url, token, "DELETE", `images/${id}`)).status, 204);
  await page.keyboard.press("End");
  await counts(page, "201 of 201");
  assert.equal(await name(page), images[200].name);
});

test("a name full of HTML, or written from right to left, is a name and nothing else", async (t) => {
  const hostile = ["<img src=x onerror=alert(1)>.png", "\u202egnp.exe\u202c.png", "n".repeat(1000) + ".png"];
  const { page } = await gallery(t, { count: 1, more: hostile.map((each, n) => [each, colour(50 + n)]), viewport: { width: 360, height: 740 } });
  await open(page, 2);
  for (const [at, each] of [hostile[0], hostile[1], hostile[2]].entries()) {
    await page.locator(".viewer-bar__count", { hasText: `${3 - at} of 4` }).waitFor();
    assert.equal(await name(page), each);
    const wide = await dialog(page).evaluate((element) => element.scrollWidth - element.clientWidth);
    assert.equal(wide, 0, `${each.slice(0, 20)} is ${wide} px too wide`);
    await page.keyboard.press("ArrowLeft");
  }
});

test("where the session has ended, one signs in again in place and sees the picture", async (t) => {
  const { page } = await gallery(t, { count: 6 });
  page.expectedComplaints = [/401/];
  await open(page, 0);
  await page.waitForFunction(() => document.querySelectorAll("[data-slide=preview]:not([hidden])").length === 3);
  await page.context().clearCookies();
  await page.keyboard.press("End");
  await page.getByRole("heading", { name: "Sign in again" }).waitFor();
  await page.getByLabel("Password", { exact: true }).fill("correct horse battery staple");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await shown(page);
  await counts(page, "6 of 6");
});
