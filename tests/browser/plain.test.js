// Everything works as plain forms: no script runs in these tests.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

import { download, openPage, password, startServer, stores } from "./harness.js";
import { png, sha256, zipSums } from "./pictures.js";

const file = (name, colour) => ({ name, mimeType: "image/png", buffer: png(40, 30, colour) });

for (const [store, address] of Object.entries(stores)) {
  // R1.1, R1.8, R1.36-R1.38, R1.45, R1.47: the whole way, without JavaScript.
  test(`a vault is used from registration to sign-out without scripts, on ${store}`, async (t) => {
    const url = await startServer(t, address());
    const page = await openPage(t, { javaScriptEnabled: false });
    page.expectedComplaints = [/422/];

    await page.goto(url);
    await page.getByRole("link", { name: "Create one" }).click();
    await page.getByLabel("User name").fill("wanda");
    await page.getByLabel("Email").fill("wanda@example.org");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.locator("main form button").last().click();
    assert.match(await page.locator("#recovery-code").textContent(), /^[0-9A-Z-]{60,}$/);
    await page.getByRole("link", { name: "Open my vault" }).click();

    const files = [file("red.png", [200, 0, 0]), file("green.png", [0, 200, 0]), file("blue.png", [0, 0, 200])];
    await page.locator("input[type=file]").setInputFiles([...files, { name: "notes.png", mimeType: "image/png", buffer: Buffer.from("no picture") }]);
    await page.getByRole("button", { name: "Upload" }).click();
    await page.getByText("This is not a picture").waitFor();
    await page.goto(`${url}/vault`);
    assert.equal(await page.locator(".tile").count(), 3);

    await page.getByRole("checkbox", { name: /red\.png/ }).check();
    const one = await download(page, () => page.getByRole("button", { name: "Download" }).click());
    assert.equal(one.name, "red.png");
    assert.equal(sha256(await readFile(one.path)), sha256(files[0].buffer));

    await page.goto(`${url}/vault`);
    await page.getByRole("checkbox", { name: /red\.png/ }).check();
    await page.getByRole("checkbox", { name: /blue\.png/ }).check();
    const zip = await download(page, () => page.getByRole("button", { name: "Download" }).click());
    assert.deepEqual([...zipSums(zip.path).keys()].sort(), ["blue.png", "red.png"]);

    await page.goto(`${url}/vault`);
    await page.getByRole("checkbox", { name: /red\.png/ }).check();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { name: "Move 1 picture to the trash?" }).waitFor();
    await page.getByRole("link", { name: "Cancel" }).click();
    await page.waitForURL(`${url}/vault`);
    assert.equal(await page.locator(".tile").count(), 3, "Cancel changes nothing");
    await page.getByRole("checkbox", { name: /red\.png/ }).check();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Move to the trash" }).click();
    await page.getByText("1 picture moved to the trash").waitFor();
    // The tiles come after these words.
    await page.waitForLoadState();
    assert.equal(await page.locator(".tile").count(), 2);

    await page.getByRole("link", { name: "Trash", exact: true }).click();
    await page.getByRole("checkbox", { name: /red\.png/ }).check();
    await page.getByRole("button", { name: "Restore" }).click();
    await page.goto(`${url}/vault`);
    assert.equal(await page.locator(".tile").count(), 3);

    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByText("You are signed out").waitFor();
    await page.goBack();
    assert.equal(await page.locator(".tile").count(), 0, "Back shows nothing private (R0.7)");

    await page.goto(`${url}/vault`);
    assert.match(page.url(), /\/login\?next=/);
    await page.getByLabel("User name or email").fill("WANDA@example.org");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`${url}/vault`);
    assert.equal(await page.locator(".tile").count(), 3, "all is still there");
  });
}

test("choosing nothing is told in words", async (t) => {
  const url = await startServer(t);
  const page = await openPage(t, { javaScriptEnabled: false });
  page.expectedComplaints = [/422/];
  await page.goto(`${url}/register`);
  await page.getByLabel("User name").fill("wanda");
  await page.getByLabel("Email").fill("wanda@example.org");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.locator("main form button").last().click();
  await page.goto(`${url}/vault`);
  // R1.19
  await page.getByRole("button", { name: "Upload" }).click();
  await page.getByText("No file was chosen").first().waitFor();
  // R1.42
  await page.goto(`${url}/vault`);
  await page.locator("#upload-files").setInputFiles([file("a.png", [1, 2, 3])]);
  await page.getByRole("button", { name: "Upload" }).click();
  await page.goto(`${url}/vault`);
  await page.getByRole("button", { name: "Download" }).click();
  await page.getByText("Nothing is selected").first().waitFor();
});
