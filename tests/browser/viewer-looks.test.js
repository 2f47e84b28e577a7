// The viewer as people with different eyes and screens meet it.

import { readFile } from "node:fs/promises";
import path from "node:path";
import test from "node:test";

import { checkAccessibility } from "./harness.js";
import { looks, screenshot } from "./looks.js";
import { photographs } from "./pictures.js";
import { counts, gallery, open, tile } from "./viewer-steps.js";

const more = await Promise.all(photographs(200).paths.slice(0, 4).map(async (file) => [path.basename(file), await readFile(file)]));

for (const [look, options] of Object.entries(looks)) {
  test(`the viewer, its details, its words of trouble, the closer look and the keys are for everybody, ${look}`, async (t) => {
    const { page, images } = await gallery(t, { count: 6, more, ...options });
    page.expectedComplaints = [/500/];
    // Long before it is needed: a busy page hears late of its first route, and goes on asking the server.
    const problem = { status: 500, contentType: "application/problem+json", body: JSON.stringify({ detail: "What is stored no longer matches its checksum." }) };
    await page.route(`**/${images.at(-1).id}/preview`, (route) => route.fulfill(problem));
    const check = async (name, what) => {
      await checkAccessibility(page, what);
      await screenshot(page, `${name}-${look}`);
    };

    if (!options.hasTouch) {
      await tile(page, 1).hover();
      await page.locator(".hover-preview").waitFor();
      await check("hover", "the closer look");
    }
    await open(page, 1);
    await check("viewer", "the viewer");
    await page.keyboard.press("i");
    await page.getByRole("region", { name: "Details" }).waitFor();
    await check("details", "the viewer with details");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await check("keys", "the list of keys");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog", { name: "Keys" }).waitFor({ state: "hidden" });
    await page.keyboard.press("i");
    await page.getByRole("region", { name: "Details" }).waitFor({ state: "hidden" });

    await page.keyboard.press("End");
    await counts(page, "10 of 10");
    await page.getByRole("alert").getByText("checksum").waitFor();
    await check("trouble", "a picture that cannot be shown");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Delete");
    await counts(page, "9 of 9");
    await page.getByRole("button", { name: "Undo" }).waitFor();
    await check("viewer-undo", "the viewer after a deletion");
  });
}
