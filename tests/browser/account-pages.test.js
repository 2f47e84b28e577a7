// The account's pages in a browser with scripts: tokens, name and address, invitations, and keeping the recovery code.

import assert from "node:assert/strict";
import test from "node:test";

import { logOut, registerByPage, statusOf, trySignIn } from "./accounts.js";
import { api, expectSoon } from "./gallery.js";
import { checkAccessibility, openPage, password, ready, register, signIn, startServer, stopClock, upload } from "./harness.js";
import { png } from "./pictures.js";

const DAY_MS = 24 * 60 * 60 * 1000;

test("a token is shown once, opens the API, and opens nothing once it is revoked", async (t) => {
  const url = await startServer(t);
  const session = await register(url);
  const page = await openPage(t);
  page.expectedComplaints = [/403/];
  await signIn(page, url);
  await page.goto(`${url}/account/tokens`);
  await page.getByText("None so far").waitFor();
  await page.getByLabel("What is it for?").fill("Backup at home");
  await page.getByLabel("write").check();
  await page.getByLabel("It ends after").selectOption("7 days");
  await page.getByLabel("Your password").fill("not the password at all");
  await page.getByRole("button", { name: "Make the token" }).click();
  await page.locator("#password-error", { hasText: "not your current password" }).waitFor();
  await checkAccessibility(page, "a refused token");
  assert.equal(await page.getByLabel("What is it for?").inputValue(), "Backup at home");
  assert.equal(await page.getByLabel("write").isChecked(), true);
  assert.equal(await page.getByLabel("It ends after").inputValue(), "7");
  await page.getByLabel("Your password").fill(password);
  await page.getByRole("button", { name: "Make the token" }).click();
  const token = await page.getByLabel("API token", { exact: true }).innerText();
  assert.match(token, /^ivt_/);
  await checkAccessibility(page, "a new token");

  assert.equal(await statusOf(url, token), 200);
  await upload(url, token, "sea.png", png(60, 40, [1, 2, 200]));
  const { items } = await api(url, session, "GET", "account/tokens");
  assert.deepEqual(items.map(({ name, scopes }) => [name, scopes]), [["Backup at home", ["read", "write"]]]);
  assert.equal(Date.parse(items[0].expires_at) - Date.parse(items[0].created_at), 7 * DAY_MS);

  await page.goto(`${url}/account/tokens`);
  const line = page.getByRole("listitem").filter({ hasText: "Backup at home" });
  await line.getByText("may read, write").waitFor();
  assert(!(await page.content()).includes(token), "it is shown only once");
  await line.getByRole("button", { name: "Revoke the token Backup at home" }).click();
  await page.getByText("Revoked: it opens nothing any more").waitFor();
  await page.waitForLoadState();
  assert.equal(await line.count(), 0);
  assert.equal(await statusOf(url, token), 401);
  assert.equal(await statusOf(url, session), 200, "nothing else is ended");
});

test("name and address are changed, and a wrong password loses nothing of what was typed", async (t) => {
  const url = await startServer(t);
  await register(url);
  const page = await openPage(t);
  page.expectedComplaints = [/401/, /403/];
  await signIn(page, url);
  await page.goto(`${url}/account`);
  await page.getByRole("link", { name: "Change name or address…" }).click();
  const [name, email, secret] = ["Name to show", "Email", "Your password"].map((label) => page.getByLabel(label));
  await expectSoon(() => email.inputValue(), "wanda@example.org");
  await name.fill("Wanda of the woods");
  await email.fill("wanda@woods.example");
  await secret.fill("not the password at all");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("#password-error", { hasText: "not your current password" }).waitFor();
  assert.match(await secret.getAttribute("aria-describedby"), /password-error/);
  assert.equal(await name.inputValue(), "Wanda of the woods");
  assert.equal(await email.inputValue(), "wanda@woods.example");
  assert.equal(await secret.inputValue(), "", "a password is never filled in again");
  await checkAccessibility(page, "a refused address");

  await secret.fill(password);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Your account is changed").waitFor();
  await page.getByRole("definition").getByText("Wanda of the woods").waitFor();
  await page.getByRole("definition").getByText("wanda@woods.example").waitFor();
  await logOut(page);
  await trySignIn(page, url, "wanda@example.org");
  await page.getByText("do not belong together").waitFor();
  await trySignIn(page, url, "wanda@woods.example");
  await page.waitForURL("**/vault");
});

test("an invitation lets one person in, once", async (t) => {
  const url = await startServer(t, "embedded", null, { REGISTRATION: "invitation" });
  await register(url);
  const [page, guest, late] = [await openPage(t), await openPage(t), await openPage(t)];
  late.expectedComplaints = [/403/];
  await guest.goto(`${url}/register`);
  await guest.getByText("New accounts need an invitation here").waitFor();
  await signIn(page, url);
  await page.goto(`${url}/account`);
  await page.getByRole("button", { name: "Make a link" }).click();
  const link = await page.getByLabel("Invitation", { exact: true }).innerText();
  assert(link.startsWith(`${url}/register?invitation=`), link);
  await checkAccessibility(page, "a new invitation");
  await page.goto(`${url}/account`);
  await page.getByRole("button", { name: "Make a link" }).waitFor();
  assert(!(await page.content()).includes(link), "it is shown only once");

  await registerByPage(guest, link, "xaver");
  await guest.getByRole("link", { name: "Open my vault" }).click();
  await guest.waitForSelector("[data-gallery=ready]");
  await guest.goto(`${url}/account`);
  await guest.getByRole("definition").getByText("xaver@example.org").waitFor();
  assert.equal(await guest.getByRole("heading", { name: "Invite somebody" }).count(), 0, "only administrators invite");

  await late.goto(link);
  await late.getByLabel("User name").fill("yvonne");
  await late.getByLabel("Email").fill("yvonne@example.org");
  await late.getByLabel("Password", { exact: true }).fill(password);
  await late.getByRole("button", { name: "Create my vault" }).click();
  await late.getByText("yours is missing, used up or has ended").waitFor();
});

test("the recovery code is copied to the clipboard", async (t) => {
  const url = await startServer(t);
  const page = await openPage(t);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: url });
  const code = await registerByPage(page, `${url}/register`);
  await ready(page);
  // The button says so for a moment only, which a slow machine might not see.
  await stopClock(page);
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await page.getByRole("button", { name: "Copied", exact: true }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), code);
  await page.clock.runFor(3000);
  await page.getByRole("button", { name: "Copy", exact: true }).waitFor();
});

test("the recovery code is printed by its button", async (t) => {
  const url = await startServer(t);
  const page = await openPage(t);
  await page.addInitScript(() => {
    window.prints = 0;
    window.print = () => window.prints++;
  });
  const code = await registerByPage(page, `${url}/register`);
  await ready(page);
  await page.getByRole("button", { name: "Print", exact: true }).click();
  await expectSoon(() => page.evaluate(() => window.prints), 1);
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.getByLabel("Recovery code", { exact: true }).innerText(), code);
  assert.equal(await page.locator("#recovery-code").isVisible(), true, "the paper has it");
});
