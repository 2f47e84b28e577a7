// One's own account as plain forms: no script runs in these tests.

import assert from "node:assert/strict";
import test from "node:test";

import { formOf, logOut, statusOf, trySignIn } from "./accounts.js";
import { codeOf } from "./codes.js";
import { openPage, password, register, signIn, startServer, upload } from "./harness.js";
import { png } from "./pictures.js";

const PLAIN = { javaScriptEnabled: false };
const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";

test("another sign-in is ended without scripts, and no other than that", async (t) => {
  const url = await startServer(t);
  const session = await register(url);
  const [here, there] = [await openPage(t, PLAIN), await openPage(t, { ...PLAIN, userAgent: FIREFOX })];
  for (const page of [here, there]) await signIn(page, url);
  await here.goto(`${url}/account/sessions`);
  await here.getByRole("listitem").filter({ hasText: "this one" }).waitFor();
  const line = here.getByRole("listitem").filter({ hasText: "Firefox on Windows" });
  await line.getByRole("button", { name: "End the sign-in of Firefox on Windows" }).click();
  await here.getByText("what was open there is closed").waitFor();
  await here.waitForLoadState();
  assert.equal(await line.count(), 0);
  await there.goto(`${url}/vault`);
  await there.waitForURL("**/login?next=*");
  assert.equal(await statusOf(url, session), 200);
});

test("a token is made and revoked without scripts", async (t) => {
  const url = await startServer(t);
  await register(url);
  const page = await openPage(t, PLAIN);
  await signIn(page, url);
  await page.goto(`${url}/account/tokens`);
  await page.getByLabel("What is it for?").fill("Backup at home");
  await page.getByLabel("It ends after").selectOption("30 days");
  await page.getByLabel("Your password").fill(password);
  await page.getByRole("button", { name: "Make the token" }).click();
  const token = await page.getByLabel("API token", { exact: true }).innerText();
  assert.equal(await statusOf(url, token), 200);
  await page.goto(`${url}/account/tokens`);
  assert(!(await page.content()).includes(token), "it is shown only once");
  await page.getByRole("button", { name: "Revoke the token Backup at home" }).click();
  await page.getByText("Revoked: it opens nothing any more").waitFor();
  await page.getByText("None so far").waitFor();
  assert.equal(await statusOf(url, token), 401);
});

test("name and address are changed without scripts", async (t) => {
  const url = await startServer(t);
  await register(url);
  const page = await openPage(t, PLAIN);
  await signIn(page, url);
  await page.goto(`${url}/account/profile`);
  await page.getByLabel("Name to show").fill("Wanda of the woods");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("definition").getByText("Wanda of the woods").waitFor();
  await page.goto(`${url}/account/profile`);
  await page.getByLabel("Email").fill("wanda@woods.example");
  await page.getByLabel("Your password").fill(password);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("definition").getByText("wanda@woods.example").waitFor();
  await logOut(page);
  await trySignIn(page, url, "wanda@woods.example");
  await page.waitForURL("**/vault");
});

test("an app is set up without scripts, and its code is asked for to delete the account", async (t) => {
  const url = await startServer(t);
  const session = await register(url);
  await upload(url, session, "sea.png", png(60, 40, [1, 2, 200]));
  const page = await openPage(t, PLAIN);
  page.expectedComplaints = [/401/, /403/, /422/];
  await signIn(page, url);
  await page.goto(`${url}/account/security/factor`);
  // That passkeys need scripts. Playwright looks for no text in there.
  await page.locator("noscript p").waitFor();
  await formOf(page, "Set up an app").getByLabel("Your password").fill(password);
  await page.getByRole("button", { name: "Set up an app" }).click();
  const secret = await page.locator("#secret").innerText();
  const link = new URL(await page.getByRole("link", { name: "Open it with this link" }).getAttribute("href"));
  assert.equal(link.searchParams.get("secret"), secret.replaceAll(" ", ""));
  const confirm = async (code) => {
    await page.getByLabel("Code", { exact: true }).fill(code);
    await page.getByRole("button", { name: "Turn it on" }).click();
  };
  await confirm("12345");
  await page.getByText("not the code that the app shows").waitFor();
  await confirm(codeOf(secret));
  const spare = (await page.locator("#spare-codes").innerText()).trim().split("\n");
  assert.equal(new Set(spare).size, 10);
  await page.getByRole("link", { name: "I have kept them" }).click();
  await page.getByText("10 of 10 left").waitFor();

  await page.goto(`${url}/account`);
  await page.getByRole("link", { name: "Delete my account…" }).click();
  await page.getByText("1 picture, ").waitFor();
  const remove = async (code) => {
    await page.getByLabel("Your password").fill(password);
    await page.getByLabel("Code of your authenticator app").fill(code);
    await page.getByRole("button", { name: "Delete everything" }).click();
  };
  await remove(codeOf(secret, 40));
  await page.getByText("too old, or was used already").waitFor();
  assert.equal(await statusOf(url, session), 200);
  // The code that has confirmed the app is used up.
  await remove(codeOf(secret, 1));
  await page.getByText("Your account is deleted").waitFor();
  assert.equal(await statusOf(url, session), 401);
  await trySignIn(page, url, "wanda");
  await page.getByText("do not belong together").waitFor();
});
