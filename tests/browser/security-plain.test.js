// What opens the vault, changed as plain forms: no script runs in these tests.

import assert from "node:assert/strict";
import test from "node:test";

import { NEW, codeShown, formOf, logOut, registerByPage, statusOf, trySignIn } from "./accounts.js";
import { openPage, password, register, signIn, startServer } from "./harness.js";

const PLAIN = { javaScriptEnabled: false };

async function sendRecovery(page, code, secret) {
  await page.getByLabel("User name or email").fill("wanda");
  await page.getByLabel("Recovery code").fill(code);
  await page.getByLabel("New password").fill(secret);
  await page.getByRole("button", { name: "Set the new password" }).click();
}

test("who has lost the password comes back by the code, without scripts", async (t) => {
  const url = await startServer(t);
  const page = await openPage(t, PLAIN);
  page.expectedComplaints = [/401/];
  const code = await registerByPage(page, `${url}/register`);
  await page.getByRole("link", { name: "Open my vault" }).click();
  await logOut(page);
  await page.getByRole("link", { name: "Use your recovery code" }).click();
  await sendRecovery(page, code, NEW);
  await page.getByRole("heading", { name: "Keep this recovery code" }).waitFor();
  const next = await codeShown(page);
  assert.match(next, /^[0-9A-Z-]{60,}$/);
  assert.notEqual(next, code);
  await page.getByLabel("Type it back").fill(next);
  await page.getByRole("button", { name: "Check my copy" }).click();
  await page.getByText("This code opens your vault").waitFor();
  await page.getByText("The recovery code opened the vault").waitFor();
  await logOut(page);
  await trySignIn(page, url, "wanda");
  await page.getByText("this password do not belong together").waitFor();
  await page.goto(`${url}/recover`);
  await sendRecovery(page, code, "the old code is used up");
  await page.getByText("this recovery code do not belong together").waitFor();
  await trySignIn(page, url, "wanda", NEW);
  await page.waitForURL("**/vault");
});

test("the password is changed without scripts", async (t) => {
  const url = await startServer(t);
  const session = await register(url);
  const page = await openPage(t, PLAIN);
  page.expectedComplaints = [/401/, /403/];
  await signIn(page, url);
  await page.goto(`${url}/account/security`);
  const change = async (current) => {
    await page.getByLabel("Current password").fill(current);
    await page.getByLabel("New password").fill(NEW);
    await page.getByRole("button", { name: "Change password" }).click();
  };
  await change("not the password at all");
  await page.locator("#current_password-error", { hasText: "not your current password" }).waitFor();
  assert.equal(await statusOf(url, session), 200);
  await change(password);
  await page.getByText("Your password is changed").waitFor();
  await page.getByText("The password was changed").waitFor();
  assert.equal(await statusOf(url, session), 401, "all other sign-ins are ended");
  await logOut(page);
  await trySignIn(page, url, "wanda");
  await page.getByText("do not belong together").waitFor();
  await trySignIn(page, url, "wanda", NEW);
  await page.waitForURL("**/vault");
});

test("the recovery code is renewed and tested without scripts", async (t) => {
  const url = await startServer(t);
  const page = await openPage(t, PLAIN);
  page.expectedComplaints = [/403/, /422/];
  const old = await registerByPage(page, `${url}/register`);
  await page.goto(`${url}/account`);
  await page.getByRole("link", { name: "Type it once" }).click();
  const renewal = formOf(page, "Make a new code");
  const renew = async (secret) => {
    await renewal.getByLabel("Your password").fill(secret);
    await renewal.getByRole("button", { name: "Make a new code" }).click();
  };
  await page.locator("summary", { hasText: "Make a new code" }).click();
  await renew("not the password at all");
  // The part of the page that it is in comes back open.
  await page.locator("#password-error", { hasText: "not your current password" }).waitFor();
  await renew(password);
  await page.getByRole("heading", { name: "Keep this recovery code" }).waitFor();
  const code = await codeShown(page);
  assert.notEqual(code, old);

  await page.goto(`${url}/account/security`);
  await page.getByText("You have not shown yet that you have it").waitFor();
  const check = async (typed) => {
    await page.getByLabel("Does my code still work?").fill(typed);
    await page.getByRole("button", { name: "Check the code" }).click();
  };
  await check(code.slice(5));
  await page.getByText("a group is missing").waitFor();
  await check(old);
  await page.getByText("This code does not open your vault").waitFor();
  await check(code.toLowerCase().replaceAll("-", " "));
  await page.getByText("This code opens your vault").waitFor();
  await page.getByText("You last showed on").waitFor();
});
