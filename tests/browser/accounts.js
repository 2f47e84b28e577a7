// What the tests of the account's pages share.

import { password } from "./harness.js";

/** Another password than that of the harness. */
export const NEW = "seven purple llamas whisper gently";

/** Registers by the page; the recovery code that is shown then. */
export async function registerByPage(page, address, username = "wanda") {
  await page.goto(address);
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Email").fill(`${username}@example.org`);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Create my vault" }).click();
  return codeShown(page);
}

/** The recovery code, once a page shows one. */
export const codeShown = (page) => page.locator("#recovery-code").innerText();

/** The form of a button: several on a page ask for the password. */
export const formOf = (page, name) => page.locator("form", { has: page.getByRole("button", { name, exact: true }) });

/** Sends the sign-in form, wherever it leads. */
export async function trySignIn(page, url, login, secret = password) {
  await page.goto(`${url}/login`);
  await page.getByLabel("User name or email").fill(login);
  await page.getByLabel("Password", { exact: true }).fill(secret);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

export async function logOut(page) {
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByText("You are signed out").waitFor();
}

/** The status of listing the pictures with this bearer token. */
export async function statusOf(url, token) {
  const answer = await fetch(`${url}/api/v1/images`, { headers: { authorization: `Bearer ${token}` } });
  await answer.body?.cancel();
  return answer.status;
}
