// What people do on the first day: put everything in, take everything out.

import assert from "node:assert/strict";
import test from "node:test";

import { download, openPage, register, signIn, startServer, stores } from "./harness.js";
import { photographs, zipSums } from "./pictures.js";

// R1.15, R1.38, R1.39: the issue's own measure, on each store.
for (const [store, address] of Object.entries(stores)) {
  test(`200 photographs go in through the page and come out of one zip, on ${store}`, { timeout: 1_200_000 }, async (t) => {
    const { paths, sums } = photographs(200);
    const url = await startServer(t, address());
    await register(url);
    const page = await openPage(t);
    await signIn(page, url);
    await page.locator("input[type=file]").setInputFiles(paths);
    await page.getByText("200 added").first().waitFor({ timeout: 1_000_000 });

    await page.reload();
    await page.waitForSelector("[data-gallery=ready]");
    await page.getByRole("button", { name: "Select all" }).first().click();
    await page.getByText("200 selected ·").waitFor();
    const zip = await download(page, () => page.getByRole("button", { name: "Download" }).click());
    assert.equal(zip.name, "pictures.zip");
    assert.deepEqual(sorted(zipSums(zip.path)), sorted(sums));
  });
}

const sorted = (map) => new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
