// Passkeys: a second factor, and, with the PRF extension, a way in without the password. The authenticator is
// Chromium's own virtual one.

import assert from "node:assert/strict";
import test from "node:test";

import { expectSoon } from "./gallery.js";
import { checkAccessibility, openPage, password, register, signIn, startServer, stores, upload } from "./harness.js";
import { looks, screenshot } from "./looks.js";
import { png } from "./pictures.js";

const NEW = "seven purple llamas whisper gently";

/** A page with a device that has a fingerprint reader; with the PRF extension or without. */
async function deviceOf(t, hasPrf, options) {
  const page = await openPage(t, options);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      ctap2Version: "ctap2_1",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      hasPrf,
    },
  });
  return page;
}

/** Adds a passkey by the page of the second factor; the spare codes that are shown with the first one. */
async function addPasskey(page, url, name) {
  await page.goto(`${url}/account/security/factor`);
  const form = page.locator("form", { has: page.getByRole("button", { name: "Add a passkey" }) });
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("Your password").fill(password);
  await form.getByRole("button", { name: "Add a passkey" }).click();
  await page.locator("#spare-codes").waitFor();
  return (await page.locator("#spare-codes").innerText()).trim().split("\n");
}

async function logOut(page) {
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Welcome back" }).waitFor();
}

async function passwordStep(page, url, secret = password) {
  await page.goto(`${url}/login`);
  await page.getByLabel("User name or email").fill("wanda");
  await page.getByLabel("Password", { exact: true }).fill(secret);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "One more step" }).waitFor();
}

for (const [name, store] of Object.entries(stores)) {
  test(`a passkey with PRF opens the vault without a password, on ${name}`, async (t) => {
    const url = await startServer(t, store());
    await upload(url, await register(url), "sea.png", png(60, 40, [1, 2, 200]));
    const page = await deviceOf(t, true);
    await signIn(page, url);
    const spare = await addPasskey(page, url, "Telephone");
    assert.equal(spare.length, 10);
    await page.getByRole("link", { name: "I have kept them" }).click();
    await page.getByText("opens without password").waitFor();
    await logOut(page);
    await page.getByRole("button", { name: "Open with a passkey" }).click();
    await page.waitForURL("**/vault");
    await page.locator(".photo[aria-label^='sea.png']").waitFor();
    await page.goto(`${url}/account/security/factor`);
    await page.getByText("last used").waitFor();
    await page.goto(`${url}/account/security`);
    await page.getByText("A passkey was added").waitFor();
  });
}

test("a passkey stands in for the code, at the sign-in and at a change", async (t) => {
  const url = await startServer(t);
  await register(url);
  const page = await deviceOf(t, true);
  page.expectedComplaints = [/401/];
  await signIn(page, url);
  await addPasskey(page, url, "Telephone");
  await page.getByRole("link", { name: "I have kept them" }).click();
  await logOut(page);
  await passwordStep(page, url);
  await checkAccessibility(page, "the step that asks for a passkey");
  const [sent] = await Promise.all([
    page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/login/code")),
    page.getByRole("button", { name: "Use a passkey instead" }).click(),
  ]);
  await page.waitForURL("**/vault");
  // What it answered is used up, even by who has the password.
  const thief = await openPage(t);
  thief.expectedComplaints = [/401/];
  await passwordStep(thief, url);
  const status = await thief.evaluate(async (body) => {
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    return (await fetch("/login/code", { method: "POST", body, headers, redirect: "manual" })).status;
  }, sent.postData());
  assert.equal(status, 401);

  await page.goto(`${url}/account/security`);
  const form = page.locator("form", { has: page.getByRole("button", { name: "Change password" }) });
  await form.getByLabel("Current password").fill(password);
  await form.getByLabel("New password", { exact: true }).fill(NEW);
  await form.getByRole("button", { name: "Use a passkey instead" }).click();
  await page.getByText("Your password is changed").waitFor();
  await logOut(page);
  // The new password has not touched what the passkey opens.
  await page.getByRole("button", { name: "Open with a passkey" }).click();
  await page.waitForURL("**/vault");
});

test("a passkey without PRF is a second factor only", async (t) => {
  const url = await startServer(t);
  await register(url);
  const page = await deviceOf(t, false);
  page.expectedComplaints = [/401/];
  await signIn(page, url);
  await addPasskey(page, url, "Old key");
  await page.getByRole("link", { name: "I have kept them" }).click();
  await page.getByText("Old key").first().waitFor();
  assert.equal(await page.getByText("opens without password").count(), 0);
  await logOut(page);
  await page.getByRole("button", { name: "Open with a passkey" }).click();
  await page.getByText("opens no vault here by itself").waitFor();
  await checkAccessibility(page, "a passkey that opens nothing");
  await passwordStep(page, url);
  await page.getByRole("button", { name: "Use a passkey instead" }).click();
  await page.waitForURL("**/vault");
});

test("a passkey that was removed opens nothing", async (t) => {
  const url = await startServer(t);
  await register(url);
  const page = await deviceOf(t, true);
  page.expectedComplaints = [/401/, /403/];
  await signIn(page, url);
  const spare = await addPasskey(page, url, "Telephone");
  await page.getByRole("link", { name: "I have kept them" }).click();
  await page.locator(".device summary").click();
  const form = page.locator(".device form");
  await form.getByLabel("Your password").fill("not the password at all");
  await form.getByLabel("Spare code").fill(spare[0]);
  await form.getByRole("button", { name: "Remove this passkey" }).click();
  await page.getByText("not your current password").waitFor();
  await checkAccessibility(page, "a refused removal");
  await form.getByLabel("Your password").fill(password);
  await form.getByLabel("Spare code").fill(spare[0]);
  await form.getByRole("button", { name: "Remove this passkey" }).click();
  await page.getByText("The passkey is removed").waitFor();
  await logOut(page);
  await page.getByRole("button", { name: "Open with a passkey" }).click();
  await page.getByText("opens no vault here by itself").waitFor();
  await signIn(page, url);
});

for (const [look, options] of Object.entries(looks)) {
  test(`the page with passkeys is for everybody, ${look}`, async (t) => {
    const url = await startServer(t);
    await register(url);
    const page = await deviceOf(t, true, options);
    page.expectedComplaints = [/403/];
    await page.goto(`${url}/login`);
    await page.getByRole("button", { name: "Open with a passkey" }).waitFor();
    await checkAccessibility(page, "the login page");
    await screenshot(page, `passkey-login-${look}`);
    await signIn(page, url);
    await page.goto(`${url}/account/security/factor`);
    const form = page.locator("form", { has: page.getByRole("button", { name: "Add a passkey" }) });
    await form.getByLabel("Name").fill("Telephone");
    await form.getByLabel("Your password").fill("not the password at all");
    await form.getByRole("button", { name: "Add a passkey" }).click();
    await form.getByText("not your current password").waitFor();
    await addPasskey(page, url, "A rather long name for a telephone that lies in the kitchen");
    await page.getByRole("link", { name: "I have kept them" }).click();
    await page.getByText("opens without password").waitFor();
    await checkAccessibility(page, "passkeys");
    const wide = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    await expectSoon(async () => (await wide()) <= 0, true);
    await page.locator(".device").evaluate((line) => line.scrollIntoView({ block: "center" }));
    await screenshot(page, `passkeys-${look}`);
  });
}
