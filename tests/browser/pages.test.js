// Every page, as people with different eyes, screens and connections meet it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import test from "node:test";

import { checkAccessibility, openPage, password, register, signIn, startServer, upload } from "./harness.js";
import { allLooks, screenshot } from "./looks.js";
import { photographs, png } from "./pictures.js";

async function visit(page, url, what) {
  await page.goto(url);
  await page.locator("[data-gallery=ready], main:not(:has([data-behaviour~=gallery]))").waitFor();
  await page.waitForLoadState("networkidle");
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert(overflow <= 0, `${what} is ${overflow} px wider than the screen`);
  await checkAccessibility(page, what);
}

test("every page is accessible and fits its screen", { timeout: 600_000 }, async (t) => {
  const url = await startServer(t);
  const token = await register(url);
  let image;
  for (const file of photographs(200).paths.slice(0, 20)) image = await upload(url, token, path.basename(file), await readFile(file));
  const hostile = ["<script>alert(1)</script>.png", "\u202egnp.exe\u202c.png", "x".repeat(900) + ".png"];
  // The README's pictures show what people keep.
  if (process.env.SCREENSHOTS) hostile.length = 0;
  for (const [at, name] of hostile.entries()) await upload(url, token, name, png(30 + at, 20, [at, 0, 0]));
  const gone = await upload(url, token, "gone.png", png(64, 48, [9, 9, 9]));
  const remove = await fetch(`${url}/api/v1/images/${gone.id}`, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
  assert.equal(remove.status, 204);

  for (const [name, options] of Object.entries(allLooks)) {
    await t.test(name, async (t) => {
      const page = await openPage(t, options);
      page.expectedComplaints = [/404/];
      await visit(page, `${url}/login`, "the login page");
      await screenshot(page, `login-${name}`);
      await visit(page, `${url}/register`, "the registration page");
      await screenshot(page, `register-${name}`);
      await signIn(page, url);
      await visit(page, `${url}/vault`, "the vault");
      await screenshot(page, `vault-${name}`);
      for (const n of [2, 4]) await page.locator(".photo").nth(n).click({ modifiers: ["Control"] });
      await page.getByText("2 selected", { exact: true }).waitFor({ state: "attached" });
      await checkAccessibility(page, "the vault with a selection");
      await screenshot(page, `selection-${name}`);
      // A closer look at the tile below the pointer would take the Escape for itself.
      await page.mouse.move(1, 1);
      await page.locator(".hover-preview").waitFor({ state: "hidden" });
      await page.keyboard.press("Escape");
      await page.locator(".photo[aria-selected=true]").first().waitFor({ state: "detached" });
      await page.locator(".photo").nth(5).click();
      await page.getByRole("button", { name: "Details", exact: true }).click();
      await page.locator(".viewer-slide[aria-hidden=false] [data-slide=preview]:not([hidden])").waitFor();
      await checkAccessibility(page, "the viewer");
      await screenshot(page, `viewer-${name}`);
      await visit(page, `${url}/vault?q=nothing+like+this`, "a search without a hit");
      await visit(page, `${url}/vault/images/${image.id}`, "a picture");
      await screenshot(page, `picture-${name}`);
      await visit(page, `${url}/trash`, "the trash");
      await screenshot(page, `trash-${name}`);
      await visit(page, `${url}/nothing/here`, "the page of an error");
      await screenshot(page, `error-${name}`);
    });
  }
});

test("a new person is led from registration to the first picture", async (t) => {
  const url = await startServer(t);
  const page = await openPage(t);
  page.expectedComplaints = [/422/];
  await page.goto(url);
  await page.getByRole("link", { name: "Create one" }).click();
  await page.getByLabel("User name").fill("wanda");
  await page.getByLabel("Email").fill("wanda@example.org");
  await page.getByLabel("Password", { exact: true }).fill("password12345");
  await page.locator("main form button:not([type=button])").last().click();
  await page.getByText("too easy to guess").first().waitFor();
  await checkAccessibility(page, "registration with errors");
  assert.equal(await page.getByLabel("User name").inputValue(), "wanda", "what was typed is kept");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.locator("main form button:not([type=button])").last().click();
  await page.locator("#recovery-code").waitFor();
  await checkAccessibility(page, "the recovery code");
  await screenshot(page, "recovery-code");
  await page.getByRole("link", { name: "Open my vault" }).click();
  await page.waitForSelector("[data-gallery=ready]");
  await checkAccessibility(page, "the empty vault");
  await screenshot(page, "empty-vault");
});

test("a picture full of script runs none of it, wherever it is opened", async (t) => {
  const url = await startServer(t);
  const token = await register(url);
  // Security test 15: HTML behind a valid picture, under a name that asks for trouble.
  const polyglot = Buffer.concat([png(20, 20, [5, 5, 5]), Buffer.from("<html><script>document.title='ran'</script></html>")]);
  const image = await upload(url, token, "page.html", polyglot);
  const page = await openPage(t);
  // Chromium's own page around a picture has inline styles; our policy forbids them too.
  page.expectedComplaints = [/inline style/];
  await signIn(page, url);
  await page.goto(`${url}/api/v1/images/${image.id}/original?inline=true`);
  assert.notEqual(await page.title(), "ran");
  assert.match(await page.evaluate(() => document.contentType), /^image\/png$/);
});
