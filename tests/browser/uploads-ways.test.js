// The ways in: the clipboard, a drop, a folder (the Share menu has installed.test.js); and files that are called what nobody expects.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test from "node:test";

import { expectSoon } from "./gallery.js";
import { download, drag, openVault } from "./harness.js";
import { png, tinyFiles } from "./pictures.js";

/** Pastes files (and perhaps text) where the focus is. */
function paste(page, files, text = "") {
  const told = files.map(({ name, mimeType, buffer }) => ({ name, mimeType, bytes: [...buffer] }));
  return page.evaluate(
    ([files, text]) => {
      const clipboardData = new DataTransfer();
      for (const { name, mimeType, bytes } of files) clipboardData.items.add(new File([new Uint8Array(bytes)], name, { type: mimeType }));
      if (text) clipboardData.setData("text/plain", text);
      document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    },
    [told, text],
  );
}

const names = async (url, token) => {
  const answer = await fetch(`${url}/api/v1/images`, { headers: { authorization: `Bearer ${token}` } });
  return (await answer.json()).items.map((image) => image.name).sort();
};

/** A folder with a picture in it, two deeper, and what systems hide there. */
async function folder(t) {
  const dir = await mkdtemp(path.join(os.tmpdir(), "image-vault-folder-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const put = (name, colour) => writeFile(path.join(dir, "Summer", name), png(5, 4, colour));
  await mkdir(path.join(dir, "Summer", "Beach", "Evening"), { recursive: true });
  await mkdir(path.join(dir, "Summer", ".cache"));
  await put("a.png", [1, 0, 0]);
  await put("Beach/b.png", [2, 0, 0]);
  await put("Beach/Evening/c.png", [3, 0, 0]);
  await put(".cache/hidden.png", [4, 0, 0]);
  await put("Beach/.hidden.png", [5, 0, 0]);
  await put("Thumbs.db", [6, 0, 0]);
  return path.join(dir, "Summer");
}

test("a pasted picture gets a name that says when it came", async (t) => {
  const { url, token, page, tray } = await openVault(t);
  await paste(page, [{ ...tinyFiles(1)[0], name: "image.png" }]);
  await tray.getByText("1 added", { exact: true }).waitFor();
  const [name] = await names(url, token);
  assert.match(name, /^Pasted \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.png$/);

  // Copied out of a folder, a file has its own name.
  await paste(page, tinyFiles(1, 7));
  await tray.getByText("tiny-0007.png").waitFor();
  await tray.getByText("1 added", { exact: true }).waitFor();

  await page.getByRole("searchbox").focus();
  await paste(page, tinyFiles(1, 8), "words of a document");
  await paste(page, tinyFiles(1, 9));
  await tray.getByText("tiny-0009.png").waitFor();
  await tray.getByText("1 added", { exact: true }).waitFor();
  assert(!(await names(url, token)).includes("tiny-0008.png"), "words go into the field");
});

test("a dropped folder is opened to the bottom, and an overlay shows where it goes", async (t) => {
  const { url, token, page, tray } = await openVault(t);
  const dir = await folder(t);
  const overlay = page.getByText("Drop to add to your vault");

  const first = await drag(page, [dir]);
  await overlay.waitFor();
  await first.leave();
  await overlay.waitFor({ state: "detached" });

  const second = await drag(page, [dir]);
  await overlay.waitFor();
  await second.drop();
  await tray.getByText("3 added", { exact: true }).waitFor();
  assert.equal(await overlay.count(), 0);
  assert.deepEqual(await names(url, token), ["a.png", "b.png", "c.png"]);
});

test("what cannot be opened in a dropped folder has a row of its own", async (t) => {
  const { url, token, page, tray } = await openVault(t);
  const dir = await folder(t);
  // As where a system says no, which it never does to root: the browser's own objects fail.
  await page.evaluate(() => {
    const fail = (_, failed) => failed(new DOMException("", "NotReadableError"));
    const guarded = (entry) => {
      const { name, fullPath, isFile, isDirectory } = entry;
      if (isFile) return name === "b.png" ? { name, fullPath, isFile, isDirectory, file: fail } : entry;
      const reader = entry.createReader();
      const readEntries = (found, failed) => reader.readEntries((some) => found(some.map(guarded)), failed);
      return { name, fullPath, isFile, isDirectory, createReader: () => ({ readEntries: name === "Evening" ? fail : readEntries }) };
    };
    const asEntry = DataTransferItem.prototype.webkitGetAsEntry;
    DataTransferItem.prototype.webkitGetAsEntry = function () {
      return guarded(asEntry.call(this));
    };
  });
  await (await drag(page, [dir])).drop();
  await tray.getByText("1 added, 2 not added").waitFor();
  await tray.getByRole("button", { name: "Retry all failed" }).click();
  await tray.getByText("1 added, 2 not added").waitFor();
  const list = await download(page, () => tray.getByRole("button", { name: "Save the list" }).click());
  const lines = (await readFile(list.path, "utf8")).trim().split("\n").sort();
  assert.deepEqual(lines, ["Summer/Beach/Evening", "Summer/Beach/b.png"].map((name) => `${name}\tThe file cannot be read. It may have been moved or deleted.`));
  assert.deepEqual(await names(url, token), ["a.png"]);
});

test("pictures can be dropped while one is being looked at", async (t) => {
  const { url, token, page, tray, pick } = await openVault(t);
  await pick(tinyFiles(1));
  await page.locator(".photo[data-id]").click();
  await page.getByRole("dialog").waitFor();
  const dir = await folder(t);
  const dragged = await drag(page, [dir]);
  const overlay = page.getByText("Drop to add to your vault");
  await overlay.waitFor();
  // What came to the top layer last lies above the rest of it.
  assert(await overlay.evaluate((words) => words.closest(".drop-overlay").matches(":popover-open")), "the overlay lies above the viewer");
  await dragged.drop();
  await tray.getByText("3 added").waitFor({ state: "attached" });
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  assert.equal((await names(url, token)).length, 4);
});

test("a folder is chosen from the menu, and what fails in it is told with its place", async (t) => {
  const { url, token, page, tray } = await openVault(t);
  page.expectedComplaints = [/415/];
  const dir = await folder(t);
  await writeFile(path.join(dir, "Beach", "notes.jpg"), "no picture");
  await page.locator(".upload summary").click();
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: "Add a folder" }).click()]);
  await chooser.setFiles(dir);
  await tray.getByText("3 added, 1 not added").waitFor();
  assert.deepEqual(await names(url, token), ["a.png", "b.png", "c.png"]);
  const list = await download(page, () => tray.getByRole("button", { name: "Save the list" }).click());
  assert.match(await readFile(list.path, "utf8"), /^Summer\/Beach\/notes\.jpg\tThis is not a picture/);
});

test("hostile, endless and right-to-left names are shown as what they are", async (t) => {
  const { url, token, page, tray, pick } = await openVault(t);
  page.expectedComplaints = [/422/];
  const [one, two, three] = tinyFiles(3);
  const hostile = "<img src=x onerror=alert(1)>.png";
  const hebrew = "\u05ea\u05de\u05d5\u05e0\u05d4 1.png";
  page.on("dialog", () => assert.fail("the name ran"));
  await pick([
    { ...one, name: hostile },
    { ...two, name: hebrew },
    { ...three, name: `${"x".repeat(5000)}.png` },
  ]);
  await tray.getByText("2 added, 1 not added").waitFor();
  assert.deepEqual(await names(url, token), [hostile, hebrew].sort());
  const rows = tray.getByRole("listitem");
  assert.match(await rows.nth(0).innerText(), /1,?024 bytes/);
  const box = await rows.nth(0).boundingBox();
  assert(box.width <= 420 && box.height < 120, "a long name breaks nothing");
  await rows.getByText(hostile, { exact: true }).waitFor();
  assert.equal(await rows.getByText(hebrew).evaluate((name) => getComputedStyle(name).direction), "rtl");
  // R1.14: large, under a heading of their own.
  const arrivals = page.getByRole("region", { name: "Just added" });
  await arrivals.getByRole("link").nth(1).waitFor();
  assert.deepEqual((await arrivals.getByRole("link").allInnerTexts()).sort(), [hostile, hebrew].sort());
});

test("a file that is too large is told so at once", async (t) => {
  const { page, tray } = await openVault(t);
  page.expectedComplaints = [/413|ERR_/];
  await page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([new Uint8Array(150 << 20)], "huge.png", { type: "image/png" }));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  });
  await tray.getByText(/The file is too large/).waitFor();
});

test("just added pictures are told to the page, and their section stays small", async (t) => {
  const { page, tray, pick } = await openVault(t);
  await page.evaluate(() => {
    window.added = [];
    document.addEventListener("pictures-added", (event) => window.added.push(event.detail.pictures.map((picture) => picture.name)));
  });
  await pick(tinyFiles(40));
  await tray.getByText("40 added", { exact: true }).waitFor();
  const arrivals = page.getByRole("region", { name: "Just added" });
  await arrivals.getByText("and 16 more below").waitFor();
  assert.equal(await arrivals.getByRole("link").count(), 24);
  const told = await page.evaluate(() => window.added);
  assert.equal(new Set(told.flat()).size, 40);
  assert(told.length < 30, "gathered, and not one by one");

  await arrivals.getByRole("button", { name: "Hide what was just added" }).click();
  await arrivals.waitFor({ state: "hidden" });
  await pick(tinyFiles(2, 40));
  await tray.getByText("2 added", { exact: true }).waitFor();
  await arrivals.getByText("tiny-0041.png").waitFor();
  assert.equal(await arrivals.getByRole("link").count(), 2);
});

test("what was just added and is deleted again leaves its section too", async (t) => {
  const { page, tray, pick } = await openVault(t);
  await pick(tinyFiles(2));
  await tray.getByText("2 added", { exact: true }).waitFor();
  const arrivals = page.getByRole("region", { name: "Just added" });
  await arrivals.getByText("tiny-0001.png").waitFor();
  for (const left of [1, 0]) {
    await page.locator(".photo[data-id]").first().focus();
    await page.keyboard.press("Delete");
    await expectSoon(() => arrivals.getByRole("link").count(), left);
  }
  await arrivals.waitFor({ state: "hidden" });
});
