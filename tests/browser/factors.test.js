// The second factor: an authenticator app and spare codes.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

import { codeOf, setUpApp } from "./codes.js";
import { expectSoon } from "./gallery.js";
import { checkAccessibility, download, openPage, password, register, signIn, startServer, upload } from "./harness.js";
import { looks, screenshot } from "./looks.js";
import { png } from "./pictures.js";

/** The password step, up to the page that asks for the code. */
async function passwordStep(page, url) {
  await page.goto(`${url}/login`);
  await page.getByLabel("User name or email").fill("wanda");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "One more step" }).waitFor();
}

async function fits(page, name, look) {
  await checkAccessibility(page, name);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert(overflow <= 0, `${name} is ${overflow} px wider than the screen`);
  await screenshot(page, `${name}-${look}`);
}

for (const [look, options] of Object.entries(looks)) {
  test(`an app is set up, asked for, and turned off, ${look}`, async (t) => {
    const url = await startServer(t);
    await register(url);
    const page = await openPage(t, options);
    page.expectedComplaints = [/401/, /403/, /422/];
    await signIn(page, url);
    await page.goto(`${url}/account/security`);
    await page.getByRole("link", { name: "Set it up…" }).click();
    await fits(page, "factor-off", look);
    const begin = page.locator("form", { has: page.getByRole("button", { name: "Set up an app" }) });
    await begin.getByLabel("Your password").fill(password);
    await begin.getByRole("button", { name: "Set up an app" }).click();
    await page.getByRole("img", { name: "QR code" }).waitFor();
    await fits(page, "factor-app", look);
    const secret = await page.locator("#secret").innerText();
    await page.getByLabel("Code", { exact: true }).fill("12345");
    await page.getByRole("button", { name: "Turn it on" }).click();
    await page.getByText("not the code that the app shows").waitFor();
    await checkAccessibility(page, "a mistyped first code");
    await page.getByLabel("Code", { exact: true }).fill(codeOf(secret));
    await page.getByRole("button", { name: "Turn it on" }).click();
    await page.locator("#spare-codes").waitFor();
    await fits(page, "factor-codes", look);
    const file = await download(page, () => page.getByRole("button", { name: "Save" }).click());
    const spare = (await readFile(file.path, "utf8")).trim().split("\n");
    assert.equal(spare.length, 10);
    await page.getByRole("link", { name: "I have kept them" }).click();
    await page.getByText("10 of 10 left").waitFor();
    await fits(page, "factor-on", look);

    await page.getByRole("button", { name: "Log out" }).click();
    await passwordStep(page, url);
    await fits(page, "factor-login", look);
    await page.getByLabel("Code", { exact: true }).fill("000000");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByText("too old, or was used already").waitFor();
    await checkAccessibility(page, "a wrong code");
    await page.getByText("I do not have my phone").click();
    await page.getByLabel("Spare code", { exact: true }).fill(spare[0].toLowerCase());
    await page.getByRole("button", { name: "Sign in with a spare code" }).click();
    await page.waitForURL("**/vault");

    await page.goto(`${url}/account/security/factor`);
    await page.getByText("9 of 10 left").waitFor();
    await page.getByText("Turn it off, or use another app").click();
    const form = page.locator("form", { has: page.getByRole("button", { name: "Turn it off" }) });
    await form.getByLabel("Your password").fill(password);
    await form.getByLabel("Code of your authenticator app").fill(spare[0]);
    await form.getByRole("button", { name: "Turn it off" }).click();
    await page.getByText("was used already").waitFor();
    await fits(page, "factor-refused", look);
    await form.getByLabel("Your password").fill(password);
    await form.getByLabel("Code of your authenticator app").fill(spare[1]);
    await form.getByRole("button", { name: "Turn it off" }).click();
    await page.getByText("The app is turned off").waitFor();
  });
}

test("the code of an app opens the vault without any script", async (t) => {
  const url = await startServer(t);
  const { secret } = await setUpApp(url, await register(url));
  const page = await openPage(t, { javaScriptEnabled: false });
  await passwordStep(page, url);
  await page.getByLabel("Code", { exact: true }).fill(codeOf(secret, 1));
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.waitForURL("**/vault");
});

test("a session that has ended is renewed in place, with password and code", async (t) => {
  const url = await startServer(t);
  const token = await register(url);
  await upload(url, token, "sea.png", png(60, 40, [1, 2, 200]));
  const page = await openPage(t);
  page.expectedComplaints = [/401/];
  await signIn(page, url);
  await page.locator(".photo[aria-label^='sea.png']").waitFor();
  const { spare } = await setUpApp(url, token);
  await fetch(`${url}/api/v1/sessions`, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
  await page.locator(".photo[data-id]").first().focus();
  await page.keyboard.press("Delete");
  const dialog = page.getByRole("dialog");
  const code = dialog.getByLabel("Code of your authenticator app");
  await dialog.getByLabel("Password", { exact: true }).fill(password);
  assert.equal(await code.isVisible(), false, "it is asked for where there is one only");
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await code.waitFor();
  await expectSoon(() => code.evaluate((input) => input === document.activeElement), true);
  await checkAccessibility(page, "the dialog that asks for a code");
  await code.fill("000000");
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await dialog.getByText("was used already").waitFor();
  await code.fill(spare[0]);
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await dialog.waitFor({ state: "detached" });
  await expectSoon(() => page.locator(".photo[data-id]").count(), 0);
});
