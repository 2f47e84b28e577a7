// Leaving with everything, and coming back: the zip of the page, and the page that takes it.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import test from "node:test";

import { checkAccessibility, download, openPage, password, pictureCount, register, signIn, startServer, stores, upload } from "./harness.js";
import { looks, screenshot } from "./looks.js";
import { png, sha256, zipSums } from "./pictures.js";

const COLOURS = [[200, 30, 40], [30, 160, 60], [20, 60, 200], [220, 200, 40]];

/** An account with four pictures, of which one is in the trash. */
async function furnished(url, username) {
  const token = await register(url, username);
  const api = (method, path, body) =>
    fetch(`${url}/api/v1/images/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: body && JSON.stringify(body),
    });
  const ids = [];
  for (const [n, colour] of COLOURS.entries()) ids.push((await upload(url, token, `${"abcd"[n]}.png`, png(60, 40, colour))).id);
  const said = await api("PATCH", ids[0], { caption: "A red one", tags: ["red"], favourite: true });
  assert.equal(said.status, 200);
  assert.equal((await api("DELETE", ids[3])).status, 204);
  return token;
}

async function exported(page, url) {
  await page.goto(`${url}/account`);
  await page.getByRole("link", { name: "take them all with you" }).click();
  return download(page, () => page.getByRole("button", { name: "Download everything" }).click());
}

async function choose(page, url, file) {
  await page.goto(`${url}/account/import`);
  await page.getByLabel("The zip", { exact: true }).setInputFiles(file);
  await page.getByRole("button", { name: "Bring them back" }).click();
}

for (const [store, address] of Object.entries(stores)) {
  test(`somebody leaves with everything and comes back, on ${store}`, async (t) => {
    const page = await openPage(t);
    const url = await startServer(t, address());
    await furnished(url, "wanda");
    await signIn(page, url);
    const zip = await exported(page, url);
    assert.match(zip.name, /^image-vault-export-\d{4}-\d\d-\d\d\.zip$/);
    const sums = zipSums(zip.path);
    assert.equal(sums.get("originals/a.png"), sha256(png(60, 40, COLOURS[0])));
    assert.equal(sums.get("trash/d.png"), sha256(png(60, 40, COLOURS[3])));

    await page.goto(`${url}/account/delete`);
    await page.getByLabel("Your password").fill(password);
    await page.getByRole("button", { name: "Delete everything" }).click();
    await page.waitForURL("**/login");
    const token = await register(url, "wanda");
    await signIn(page, url);
    await choose(page, url, zip.path);
    await page.getByRole("heading", { name: "4 of 4 identical" }).waitFor();
    await page.getByText("4 pictures added").waitFor();
    await checkAccessibility(page, "the answer");
    assert.equal(await pictureCount(url, token), 3);
    assert.equal(await pictureCount(url, token, "&state=trashed"), 1);
    await page.getByRole("link", { name: "Open my vault" }).click();
    await page.locator(".photo[aria-label^='a.png']").waitFor();

    await choose(page, url, zip.path);
    await page.getByText("0 pictures added, 4 pictures here before").waitFor();
  });
}

test("what is no export is told before it is sent", async (t) => {
  const page = await openPage(t);
  const url = await startServer(t);
  await register(url);
  await signIn(page, url);
  let sent = 0;
  page.on("request", (request) => (sent += request.method() === "POST" ? 1 : 0));
  await choose(page, url, { name: "holiday.zip", mimeType: "application/zip", buffer: Buffer.from("PK\x03\x04 and something else") });
  const input = page.getByLabel("The zip", { exact: true });
  await page.waitForFunction(() => document.querySelector("#zip").validationMessage.includes("no export"));
  assert.equal(sent, 0);
  await input.setInputFiles([]);
  assert.match(await input.evaluate((field) => field.validationMessage), /^(?!.*no export)/);
});

test("a sign-in that ended is renewed in place, and the import goes on", async (t) => {
  const page = await openPage(t);
  page.expectedComplaints = [/401/];
  const url = await startServer(t);
  const token = await furnished(url, "wanda");
  await signIn(page, url);
  const zip = await exported(page, url);
  await page.goto(`${url}/account/import`);
  const ended = await fetch(`${url}/api/v1/sessions`, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
  assert(ended.ok);
  await page.getByLabel("The zip", { exact: true }).setInputFiles(zip.path);
  await page.getByRole("button", { name: "Bring them back" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Password", { exact: true }).fill(password);
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "4 of 4 identical" }).waitFor();
});

test("a damaged picture is named, and the others come", async (t) => {
  const page = await openPage(t);
  const url = await startServer(t);
  await furnished(url, "wanda");
  await signIn(page, url);
  const zip = await exported(page, url);
  const bytes = await readFile(zip.path);
  bytes[bytes.indexOf(png(60, 40, COLOURS[1])) + 50] ^= 1;
  await writeFile(zip.path, bytes);
  const token = await register(url, "xaver");
  await page.getByRole("button", { name: "Log out" }).click();
  await signIn(page, url, "xaver");
  await choose(page, url, zip.path);
  await page.getByRole("heading", { name: "3 of 4 identical" }).waitFor();
  const failed = page.getByRole("list", { name: "Not brought back" }).getByRole("listitem");
  assert.match(await failed.innerText(), /b\.png[\s\S]*SHA-256/);
  assert.equal(await pictureCount(url, token), 2);
});

for (const [look, options] of Object.entries({ ...looks, smallest: { viewport: { width: 320, height: 568 } } })) {
  test(`the pages of leaving and coming back are for everybody, ${look}`, async (t) => {
    const page = await openPage(t, options);
    const url = await startServer(t);
    await furnished(url, "wanda");
    await signIn(page, url);
    const fits = async (name) => {
      await checkAccessibility(page, name);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert(overflow <= 0, `${name} is ${overflow} px wider than the screen`);
      await screenshot(page, `moving-${name}-${look}`);
    };
    const zip = await exported(page, url);
    await fits("export");
    await page.goto(`${url}/account/import`);
    await fits("import");
    await choose(page, url, zip.path);
    await page.getByRole("heading", { name: "4 of 4 identical" }).waitFor();
    await fits("imported");
    await page.goto(`${url}/account/delete`);
    await fits("delete");
  });
}

test("without scripts the plain forms do it", async (t) => {
  const page = await openPage(t, { javaScriptEnabled: false });
  const url = await startServer(t);
  await furnished(url, "wanda");
  await signIn(page, url);
  const zip = await exported(page, url);
  await choose(page, url, zip.path);
  await page.getByText("0 pictures added, 4 pictures here before").waitFor();
});
