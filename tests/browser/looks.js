// The screens and colours that people meet the pages with, and pictures of them to be looked at.

import { mkdir } from "node:fs/promises";
import path from "node:path";

import { root } from "./harness.js";

const desktop = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

/** Options of `openPage`, by name. */
export const looks = {
  "desktop-light": { ...desktop, colorScheme: "light" },
  "desktop-dark": { ...desktop, colorScheme: "dark" },
  "phone-light": { ...phone, colorScheme: "light" },
  "phone-dark": { ...phone, colorScheme: "dark" },
};

/** Those, and the narrowest and the widest screen that a page has to fit. */
export const allLooks = {
  ...looks,
  smallest: { viewport: { width: 320, height: 568 }, colorScheme: "light" },
  wall: { viewport: { width: 3840, height: 2160 }, colorScheme: "dark" },
};

/** The pictures that the README shows; `SCREENSHOTS=1` makes them anew. */
const SHOWN = ["vault-desktop-light", "viewer-desktop-dark", "vault-phone-dark", "selection-phone-light"];

/** Keeps a picture of the page. */
export async function screenshot(page, name) {
  const forReadme = process.env.SCREENSHOTS && SHOWN.includes(name);
  const dir = path.join(root, forReadme ? "docs/screenshots" : "target/screenshots");
  await mkdir(dir, { recursive: true });
  await page.screenshot({ path: path.join(dir, `${name}.png`) });
}
