// Many pictures at once: what cannot be kept stops nothing, what failed can be tried again, what is here is not sent twice.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

import { expectSoon } from "./gallery.js";
import { download, openVault, stores } from "./harness.js";
import { tinyFiles } from "./pictures.js";

const IMAGES = /\/api\/v1\/images\?name=/;

for (const [store, address] of Object.entries(stores)) {
  test(`of 300 files of which every tenth is no picture, 270 are kept, on ${store}`, { timeout: 120_000 }, async (t) => {
    const { page, tray, pick, count } = await openVault(t, { store: address() });
    page.expectedComplaints = [/415/];
    let refused = 0;
    page.on("response", (answer) => (refused += answer.status() === 415 ? 1 : 0));
    const files = tinyFiles(300).map((file, i) => (i % 10 === 9 ? { name: `text-${i}.jpg`, mimeType: "image/jpeg", buffer: Buffer.from(`no picture ${i}`) } : file));
    await pick(files);
    await tray.getByText("270 added, 30 not added").waitFor({ timeout: 100_000 });
    assert.equal(await count(), 270);

    // What failed comes first, and says why.
    const rows = tray.getByRole("listitem");
    assert.match(await rows.first().innerText(), /^text-9\.jpg\s+This is not a picture the vault can keep/);
    assert.equal(await rows.first().getAttribute("aria-setsize"), "300");
    const list = await download(page, () => tray.getByRole("button", { name: "Save the list" }).click());
    const lines = (await readFile(list.path, "utf8")).trimEnd().split("\n");
    assert.equal(lines.length, 30);
    assert.match(lines[29], /^text-299\.jpg\tThis is not a picture/);

    await tray.getByRole("button", { name: "Retry all failed" }).click();
    await expectSoon(() => refused, 60);
    await tray.getByText("270 added, 30 not added").waitFor();
    assert.equal(await count(), 270);
  });
}

test("what the server failed at is kept when it is tried again", { timeout: 120_000 }, async (t) => {
  const { page, tray, pick, count } = await openVault(t);
  page.expectedComplaints = [/500/];
  let healthy = false;
  await page.route(IMAGES, (route) =>
    healthy || !route.request().url().endsWith("9.png") ? route.fallback() : route.fulfill({ status: 500, body: "broken" }),
  );
  await pick(tinyFiles(300));
  await tray.getByText("270 added, 30 not added").waitFor({ timeout: 100_000 });
  assert.equal(await count(), 270);
  assert.match(await tray.getByRole("listitem").first().innerText(), /The server answered 500/);

  healthy = true;
  await tray.getByRole("button", { name: "Retry tiny-0009.png" }).click();
  await tray.getByText("271 added, 29 not added").waitFor();
  await tray.getByRole("button", { name: "Retry all failed" }).click();
  await tray.getByText("300 added", { exact: true }).waitFor();
  assert.equal(await count(), 300);
});

test("the same folder again sends only what is missing, and brings back what lay in the trash", async (t) => {
  const { url, token, page, tray, pick, count } = await openVault(t);
  await pick(tinyFiles(40));
  await tray.getByText("40 added", { exact: true }).waitFor();
  const headers = { authorization: `Bearer ${token}` };
  const { items } = await (await fetch(`${url}/api/v1/images?limit=2`, { headers })).json();
  // A thumbnail that is just on its way to the page may be gone.
  page.expectedComplaints = [/404/];
  await fetch(`${url}/api/v1/images/${items[0].id}`, { method: "DELETE", headers });
  await fetch(`${url}/api/v1/images/${items[1].id}?permanent=true`, { method: "DELETE", headers });

  await page.reload();
  const sent = [];
  page.on("request", (request) => IMAGES.test(request.url()) && sent.push(request.url()));
  await pick(tinyFiles(45));
  await tray.getByText("6 added, 39 already here").waitFor();
  assert.equal(sent.length, 6);
  assert.equal(await count(), 45);
});

test("where the browser computes no digests, the server compares", async (t) => {
  const { page, tray, pick, count } = await openVault(t);
  await page.addInitScript(() => Object.defineProperty(Crypto.prototype, "subtle", { value: undefined }));
  await page.reload();
  await pick(tinyFiles(4));
  await tray.getByText("4 added", { exact: true }).waitFor();
  await pick(tinyFiles(5));
  await tray.getByText("1 added, 4 already here").waitFor();
  assert.equal(await count(), 5);
});

test("5,000 files are as light as five", { timeout: 60_000 }, async (t) => {
  const { page, tray } = await openVault(t);
  await page.route(IMAGES, () => undefined);
  await page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    for (let i = 0; i < 5000; i++) dataTransfer.items.add(new File([`file ${i}`], `file-${i}.png`, { type: "image/png" }));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  });
  await tray.getByText("Adding 1 of 5,000").waitFor();
  const nodes = () => page.evaluate(() => document.querySelectorAll("*").length);
  assert(await nodes() < 1500, `${await nodes()} nodes`);
  await tray.getByRole("group", { name: "Files" }).evaluate((box) => box.scrollTo(0, box.scrollHeight));
  await tray.getByText("file-4999.png").waitFor();
  assert(await nodes() < 1500, `${await nodes()} nodes at the end of the list`);
});
