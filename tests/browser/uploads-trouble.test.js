// What may happen on the way: a broken line, a server that is away, a file that is gone, a person who thinks better of it.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test from "node:test";

import { expectSoon } from "./gallery.js";
import { openVault } from "./harness.js";
import { tinyFiles } from "./pictures.js";

const IMAGES = /\/api\/v1\/images\?name=/;

test("a broken line is tried again by itself", async (t) => {
  const { page, tray, pick, count } = await openVault(t);
  page.expectedComplaints = [/ERR_FAILED/];
  const broken = new Set();
  await page.route(IMAGES, (route) => {
    const address = route.request().url();
    if (!address.endsWith("3.png") || broken.has(address)) return route.fallback();
    broken.add(address);
    return route.abort();
  });
  await pick(tinyFiles(20));
  await tray.getByText("20 added", { exact: true }).waitFor();
  assert.equal(broken.size, 2);
  assert.equal(await count(), 20);
});

test("while the storage is away the files wait, and they go on when it is back", async (t) => {
  const { page, tray, pick, count } = await openVault(t);
  page.expectedComplaints = [/503/];
  let away = true;
  await page.route(/\/api\/v1\/images/, (route) =>
    away && route.request().method() === "POST" && IMAGES.test(route.request().url())
      ? route.fulfill({ status: 503, headers: { "Retry-After": "2" }, json: { detail: "The storage cannot be reached right now." } })
      : route.fallback(),
  );
  await pick(tinyFiles(12));
  await tray.getByText(/Trying again in \d s/).nth(2).waitFor();
  assert.equal(await tray.getByText(/not added/).count(), 0, "an outage is no file's fault");
  away = false;
  await tray.getByText("12 added", { exact: true }).waitFor();
  assert.equal(await count(), 12);
});

test("a server that asks to wait is not asked before", async (t) => {
  const { page, tray, pick } = await openVault(t);
  page.expectedComplaints = [/429/];
  const asked = [];
  await page.route(IMAGES, (route) => {
    asked.push(Date.now());
    return asked.length > 1 ? route.fallback() : route.fulfill({ status: 429, headers: { "Retry-After": "3" }, body: "" });
  });
  await pick(tinyFiles(1));
  await tray.getByText("1 added", { exact: true }).waitFor();
  assert(asked[1] - asked[0] >= 3000, `tried again after ${asked[1] - asked[0]} ms`);
});

test("each wait is longer than the one before", async (t) => {
  const { page, tray, pick } = await openVault(t);
  page.expectedComplaints = [/502/];
  const asked = [];
  await page.route(IMAGES, (route) => {
    asked.push(performance.now());
    return asked.length > 4 ? route.fallback() : route.fulfill({ status: 502, body: "" });
  });
  await pick(tinyFiles(1));
  await tray.getByText("1 added", { exact: true }).waitFor();
  // From 1 s on it doubles, and is spread by a quarter: 3/4, 3/2, 3 and 6 s at the least.
  const waits = asked.slice(1).map((at, n) => at - asked[n]);
  for (const [n, wait] of waits.entries()) assert(wait >= 750 * 2 ** n, `wait ${n} was ${wait} ms`);
});

test("a file that vanishes before it is sent is told, and the others go on", async (t) => {
  const { page, tray, pick, count } = await openVault(t);
  page.expectedComplaints = [/ERR_FILE_NOT_FOUND|ERR_UPLOAD_FILE_CHANGED|ERR_FAILED/];
  const dir = await mkdtemp(path.join(os.tmpdir(), "image-vault-vanish-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const paths = [];
  for (const { name, buffer } of tinyFiles(10)) {
    paths.push(path.join(dir, name));
    await writeFile(paths.at(-1), buffer);
  }
  // Everything stands still until the files are gone: one before it is looked at, one after.
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  await page.route(/\/api\/v1\/images\/known/, async (route) => {
    await opened;
    await route.fallback();
  });
  await Promise.all([page.waitForRequest(/\/known/), pick(paths)]);
  await rm(paths[0]);
  await rm(paths[7]);
  open();
  await tray.getByText("8 added, 2 not added").waitFor();
  const row = tray.getByRole("listitem").first();
  assert.match(await row.innerText(), /^tiny-0000\.png\s+The file cannot be read\. It may have been moved or deleted\./);
  assert.equal(await count(), 8);
});

test("one file is cancelled, and then all that are left", async (t) => {
  const { page, tray, pick, count } = await openVault(t);
  const aborted = [];
  page.on("requestfailed", (request) => aborted.push(request.failure().errorText));
  // The first three arrive; nobody answers the others.
  let held = 0;
  await page.route(IMAGES, (route) => (++held <= 3 ? route.fallback() : undefined));
  await pick(tinyFiles(30));
  await tray.getByText("Adding 4 of 30").waitFor();
  await tray.getByRole("button", { name: "Cancel tiny-0004.png" }).click();
  await tray.getByText(/Adding 5 of 30|Adding 6 of 30/).waitFor();
  await tray.getByRole("button", { name: "Cancel all" }).click();
  await tray.getByText("3 added, 27 cancelled").waitFor();
  // What was on its way is broken off.
  await expectSoon(() => aborted.length >= 3, true);
  assert.equal(await count(), 3);

  await page.unroute(IMAGES);
  await tray.getByRole("group", { name: "Files" }).evaluate((box) => box.scrollTo(0, 0));
  await tray.getByRole("button", { name: "Retry tiny-0004.png" }).click();
  await tray.getByText("4 added, 26 cancelled").waitFor();
});

test("the title tells how far it is, and leaving is asked about while it lasts", async (t) => {
  const { page, tray, pick } = await openVault(t);
  const title = await page.title();
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  let sent = 0;
  await page.route(IMAGES, async (route) => {
    if (++sent > 2) await opened;
    await route.fallback();
  });
  await pick(tinyFiles(8));
  await tray.getByText("Adding 3 of 8").waitFor();
  await page.waitForFunction(() => /^2[45]% · Vault$/.test(document.title));
  assert.match(await tray.innerText(), /2[45]% · 145 B of 583 B/);

  const asked = page.waitForEvent("dialog");
  const leaving = page.reload({ timeout: 5000 }).catch(() => {});
  const dialog = await asked;
  assert.equal(dialog.type(), "beforeunload");
  await dialog.dismiss();
  await leaving;

  open();
  await tray.getByText("8 added", { exact: true }).waitFor();
  assert.equal(await page.title(), title);
  page.on("dialog", () => assert.fail("nothing is left to lose"));
  await page.reload();
});
