// One's own account: the recovery code, the password, what happened, and where the vault is open.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

import { checkAccessibility, download, openPage, password, register, signIn, startServer, upload } from "./harness.js";
import { expectSoon } from "./gallery.js";
import { looks, screenshot } from "./looks.js";
import { png } from "./pictures.js";

const NEW = "seven purple llamas whisper gently";

/** A page on which somebody has just registered, and the code that it shows. */
async function registered(t, options) {
  const url = await startServer(t);
  const page = await openPage(t, options);
  await page.goto(`${url}/register`);
  await page.getByLabel("User name").fill("wanda");
  await page.getByLabel("Email").fill("wanda@example.org");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Create my vault" }).click();
  const code = await page.locator("#recovery-code").innerText();
  return { url, page, code };
}

test("the code is saved, typed back, and then the account page stops reminding", async (t) => {
  const { url, page, code } = await registered(t);
  page.expectedComplaints = [/422/];
  const file = await download(page, () => page.getByRole("button", { name: "Save" }).click());
  assert.equal(file.name, "image-vault-recovery-code.txt");
  assert.equal((await readFile(file.path, "utf8")).trim(), code);
  await page.getByLabel("Type it back").fill(code.replace(/^.{4}/, "AAAA"));
  await page.getByRole("button", { name: "Check my copy" }).click();
  await page.getByText("one is mistyped").first().waitFor();
  assert.equal(await page.locator("#recovery-code").innerText(), code, "a mistake does not lose it");
  await checkAccessibility(page, "the code after a mistake");
  await page.getByLabel("Type it back").fill(code.toLowerCase().replaceAll("-", " "));
  await page.getByRole("button", { name: "Check my copy" }).click();
  await page.getByText("This code opens your vault").waitFor();
  await page.goto(`${url}/account`);
  assert.equal(await page.getByText("still have your recovery code").count(), 0);
});

test("who has lost the password comes back by the code, and finds the pictures", async (t) => {
  const { url, page, code } = await registered(t);
  page.expectedComplaints = [/401/];
  await page.goto(`${url}/vault`);
  await page.waitForSelector("[data-gallery=ready]");
  await page.locator("#upload-files").setInputFiles({ name: "sea.png", mimeType: "image/png", buffer: png(60, 40, [1, 2, 200]) });
  await page.locator(".photo[aria-label^='sea.png']").waitFor();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("link", { name: "Use your recovery code" }).click();
  await page.waitForURL(`${url}/recover`);
  await checkAccessibility(page, "the recovery page");
  await page.getByLabel("User name or email").fill("wanda");
  await page.getByLabel("Recovery code").fill(code);
  await page.getByLabel("New password", { exact: true }).fill(NEW);
  await page.getByRole("button", { name: "Set the new password" }).click();
  await page.locator("#recovery-code").waitFor();
  assert.notEqual(await page.locator("#recovery-code").innerText(), code);
  await page.getByRole("link", { name: "Open my vault" }).click();
  await page.locator(".photo[aria-label^='sea.png']").waitFor();
});

test("a sign-in is ended from another device, and that one asks to sign in again", async (t) => {
  const url = await startServer(t);
  await upload(url, await register(url), "sea.png", png(60, 40, [1, 2, 200]));
  const [here, there] = [await openPage(t), await openPage(t)];
  there.expectedComplaints = [/401/];
  for (const page of [here, there]) await signIn(page, url);
  await here.getByRole("link", { name: /Your account/ }).click();
  await here.getByRole("link", { name: "Sign-ins" }).click();
  await here.waitForURL(`${url}/account/sessions`);
  assert.equal(await here.locator(".device").count(), 3);
  await here.getByRole("button", { name: "End all others" }).click();
  await expectSoon(() => here.locator(".device").count(), 1);
  await there.locator(".photo[data-id]").first().focus();
  await there.keyboard.press("Delete");
  await there.getByRole("dialog").getByLabel("Password", { exact: true }).waitFor();
});

test("a new master key keeps the pictures, and its new code is shown", async (t) => {
  const url = await startServer(t);
  await upload(url, await register(url), "sea.png", png(60, 40, [1, 2, 200]));
  const page = await openPage(t);
  await signIn(page, url);
  await page.goto(`${url}/account/security`);
  await page.getByText("Replace the master key").first().click();
  await checkAccessibility(page, "the form for a new master key");
  await page.locator("#rotation_password").fill(password);
  await page.getByRole("button", { name: "Replace the master key" }).click();
  await page.locator("#recovery-code").waitFor();
  await page.getByRole("link", { name: "Open my vault" }).click();
  await page.locator(".photo[aria-label^='sea.png']").waitFor();
});

for (const [look, options] of Object.entries(looks)) {
  test(`the account's pages are for everybody, ${look}`, async (t) => {
    const url = await startServer(t);
    await register(url);
    const page = await openPage(t, options);
    page.expectedComplaints = [/403/];
    await signIn(page, url);
    for (const [path, name] of [["", "account"], ["/security", "security"], ["/sessions", "sessions"], ["/tokens", "tokens"], ["/profile", "profile"]]) {
      await page.goto(`${url}/account${path}`);
      await checkAccessibility(page, name);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert(overflow <= 0, `${name} is ${overflow} px wider than the screen`);
      await screenshot(page, `account-${name}-${look}`);
    }
    await page.goto(`${url}/account/security`);
    await page.getByLabel("Current password").fill("not the password at all");
    await page.getByLabel("New password", { exact: true }).fill(NEW);
    await page.getByRole("button", { name: "Change password" }).click();
    await page.getByText("not your current password").first().waitFor();
    await checkAccessibility(page, "a refused change");
    await page.getByLabel("Current password").fill(password);
    await page.getByLabel("New password", { exact: true }).fill(NEW);
    await page.getByRole("button", { name: "Change password" }).click();
    await page.getByText("Your password is changed").waitFor();
    await page.getByText("The password was changed").waitFor();
  });
}
