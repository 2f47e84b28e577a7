// The session ends in the middle of a batch: one signs in again in place, and the batch goes on.

import assert from "node:assert/strict";
import test from "node:test";

import { expectSoon } from "./gallery.js";
import { checkAccessibility, openVault, password, register, signIn } from "./harness.js";
import { tinyFiles } from "./pictures.js";

const IMAGES = /\/api\/v1\/images\?name=/;

/** Lets `first` uploads through and holds the others until `open()`. */
async function gate(page, first) {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  let sent = 0;
  await page.route(IMAGES, async (route) => {
    if (++sent > first) await opened;
    await route.fallback();
  });
  return open;
}

/**
 * Picks these, and waits until the vault was asked about each: a question that is still open when the session ends would
 * ask to sign in as well.
 */
async function pickKnown(page, pick, files) {
  let known = 0;
  page.on("response", (answer) => {
    if (answer.url().endsWith("/images/known")) known += answer.request().postDataJSON().sha256.length;
  });
  await pick(files);
  await expectSoon(() => known, files.length);
}

/** Ends the session of the page, as its expiry would. */
const endSession = (page) =>
  page.evaluate(async () => {
    const { csrf_token } = await (await fetch("/api/v1/session")).json();
    await fetch("/api/v1/session", { method: "DELETE", headers: { "X-CSRF-Token": csrf_token } });
  });

for (const viewport of [{ width: 1280, height: 800 }, { width: 360, height: 740 }]) {
  test(`signing in again in place lets the batch go on, at ${viewport.width} px`, async (t) => {
    const { page, tray, pick, count } = await openVault(t, { viewport });
    page.expectedComplaints = [/401/];
    const open = await gate(page, 5);
    await pickKnown(page, pick, tinyFiles(30));
    await tray.getByText("Adding 6 of 30").waitFor();
    await endSession(page);
    open();

    const dialog = page.getByRole("dialog", { name: "Sign in again" });
    await dialog.getByText("wanda").waitFor();
    await checkAccessibility(page, "signing in again");
    await dialog.getByLabel("Password", { exact: true }).fill("not the password");
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await dialog.getByText("This password is not right").waitFor();
    await checkAccessibility(page, "a wrong password");
    await dialog.getByLabel("Password", { exact: true }).fill(password);
    await page.keyboard.press("Enter");

    await tray.getByText("30 added", { exact: true }).waitFor();
    assert.equal(await count(), 30);
    assert.equal(await page.getByRole("dialog").count(), 0, "it asks once");
    assert.match(page.url(), /\/vault$/, "the page was never left");
  });
}

test("who does not sign in finds the batch paused, and can go on later", async (t) => {
  const { page, tray, pick, count } = await openVault(t);
  page.expectedComplaints = [/401/];
  const open = await gate(page, 3);
  await pickKnown(page, pick, tinyFiles(20));
  await tray.getByText("Adding 4 of 20").waitFor();
  await endSession(page);
  open();

  const dialog = page.getByRole("dialog", { name: "Sign in again" });
  await dialog.waitFor();
  await page.keyboard.press("Escape");
  await tray.getByText("You are signed out. 17 not sent yet.").waitFor();
  await dialog.waitFor({ state: "detached" });
  await checkAccessibility(page, "a batch that stands still");
  assert.equal(await count(), 3);

  await tray.getByRole("button", { name: "Sign in" }).click();
  await dialog.getByLabel("Password", { exact: true }).fill(password);
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await tray.getByText("20 added", { exact: true }).waitFor();
  assert.equal(await count(), 20);
});

test("who signed in again in another tab is not asked", async (t) => {
  const { url, page, tray, pick, count } = await openVault(t);
  page.expectedComplaints = [/403/];
  const other = await page.context().newPage();
  await other.goto(`${url}/vault`);
  await other.getByRole("button", { name: "Log out" }).click();
  await signIn(other, url);
  await pick(tinyFiles(10));
  await tray.getByText("10 added", { exact: true }).waitFor();
  assert.equal(await count(), 10);
});

test("where somebody else signed in, nothing goes into their vault", async (t) => {
  const { url, page, pick, count } = await openVault(t);
  page.expectedComplaints = [/403/];
  await register(url, "xaver");
  const other = await page.context().newPage();
  await other.goto(`${url}/vault`);
  await other.getByRole("button", { name: "Log out" }).click();
  await signIn(other, url, "xaver");
  page.on("dialog", (dialog) => dialog.accept());
  await Promise.all([page.waitForEvent("load"), pick(tinyFiles(10))]);
  await page.getByText("xaver").first().waitFor();
  assert.equal(await count(), 0);
  assert.equal(await page.evaluate(async () => (await (await fetch("/api/v1/images")).json()).total), 0);
});
