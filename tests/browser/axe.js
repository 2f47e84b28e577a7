// axe-core in a page whose content security policy allows no foreign script: it is handed over by
// the debugger, which the policy does not bind.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core finds wrong with a page: WCAG 2.2 A and AA, and its own best practices. */
export async function violations(page) {
  await page.evaluate(source);
  const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return result.violations;
}
