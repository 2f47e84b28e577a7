// The vault as an installed app, and pictures shared to it from a phone: through the real service worker, which keeps
// them in memory, for minutes, for one page.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import vm from "node:vm";

import { chromium } from "playwright-core";

import { checkAccessibility, openPage, password, register, root, signIn, startServer } from "./harness.js";
import { png } from "./pictures.js";

/** The states of the workers that this browser has for the site. */
const workers = (page) =>
  page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).map((one) => one.active?.state ?? "none"));

/**
 * Waits until the worker takes what goes to its address. Chromium calls it activated a moment before that, and whoever
 * shares in that moment reaches the server.
 */
async function workerIsReady(page) {
  await page.waitForFunction(async () => (await navigator.serviceWorker.getRegistration("/share-target"))?.active?.state === "activated");
  const below = await page.context().newPage();
  do {
    await below.goto(new URL("/share-target", page.url()).href);
  } while (!(await below.evaluate(() => navigator.serviceWorker.controller)));
  await below.close();
}

/** Shares as a phone does: a form with files, posted to the address that the manifest names. */
async function share(page, files) {
  await page.evaluate((files) => {
    const form = document.createElement("form");
    Object.assign(form, { method: "post", action: "/share-target", enctype: "multipart/form-data" });
    const input = Object.assign(document.createElement("input"), { type: "file", name: "files", multiple: true });
    const chosen = new DataTransfer();
    for (const [name, bytes] of files) chosen.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
    input.files = chosen.files;
    form.append(input);
    document.body.append(form);
    form.submit();
  }, files.map(([name, bytes]) => [name, [...bytes]]));
}

/** The same, on a page that is to arrive where shared pictures are asked for. */
async function shareToVault(page, files) {
  await page.evaluate(() => history.replaceState(null, "", "/vault"));
  await share(page, files);
  await page.waitForURL("**/vault#shared");
}

/** Asks the worker for what was shared, as a page does: names and bytes. */
const take = (page) =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration("/share-target");
    const { port1, port2 } = new MessageChannel();
    const answer = new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data.files)));
    registration.active.postMessage({ type: "take-shared" }, [port2]);
    return Promise.all((await answer).map(async (file) => [file.name, [...new Uint8Array(await file.arrayBuffer())]]));
  });

/** What the browser keeps on disk for the site, whatever a page may have put there. */
const kept = (page) =>
  page.evaluate(async () => ({ caches: await caches.keys(), databases: await indexedDB.databases(), local: localStorage.length }));

/** The pages' own scripts stay away, so that nobody but the test takes what was shared. */
const withoutScripts = (page) => page.route("**/js/main.js", (route) => route.fulfill({ contentType: "text/javascript", body: "" }));

async function signedIn(t, options) {
  let page;
  // Before the server ends, or scripts that are still on their way would fail.
  t.after(() => page?.close());
  const url = await startServer(t);
  const token = await register(url);
  page = await openPage(t, options);
  await signIn(page, url);
  return { url, token, page };
}

async function total(url, token) {
  const answer = await fetch(`${url}/api/v1/images`, { headers: { authorization: `Bearer ${token}` } });
  return (await answer.json()).total;
}

const pictures = [
  ["one.png", png(8, 8, [1, 2, 3])],
  ["zwei ü.png", png(8, 8, [4, 5, 6])],
];

test("Chromium finds nothing that stands against installing it", async (t) => {
  const url = await startServer(t);
  await register(url);
  // Not in a private window, where nothing is ever installed.
  const profile = await mkdtemp(path.join(os.tmpdir(), "image-vault-profile-"));
  const context = await chromium.launchPersistentContext(profile, { executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  t.after(async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  });
  const page = await context.newPage();
  await signIn(page, url);
  const devtools = await context.newCDPSession(page);
  const manifest = await devtools.send("Page.getAppManifest");
  assert.deepEqual(manifest.errors, []);
  assert.equal(manifest.url, `${url}/manifest.webmanifest`);
  assert.equal(JSON.parse(manifest.data).share_target.action, "/share-target");
  assert.deepEqual((await devtools.send("Page.getInstallabilityErrors")).installabilityErrors, []);
});

test("what is shared reaches the page that asks, once, and is kept nowhere", async (t) => {
  const { url, token, page } = await signedIn(t);
  await workerIsReady(page);
  await withoutScripts(page);
  await shareToVault(page, pictures);
  const expected = pictures.map(([name, bytes]) => [name, [...bytes]]);
  assert.deepEqual(await take(page), expected);
  assert.deepEqual(await take(page), [], "it was forgotten once it was handed over");
  assert.deepEqual(await kept(page), { caches: [], databases: [], local: 0 });
  assert.equal(await total(url, token), 0, "the worker itself sends nothing");

  await shareToVault(page, pictures.slice(0, 1));
  await shareToVault(page, pictures.slice(1));
  assert.deepEqual(await take(page), expected.slice(1), "a later share takes the place of one that nobody asked for");
});

test("what is shared is added when the person agrees, and only then", async (t) => {
  const { url, token, page } = await signedIn(t);
  await workerIsReady(page);
  await share(page, pictures);
  const question = page.getByRole("dialog", { name: "Add 2 pictures to your vault?" });
  await question.waitFor();
  await checkAccessibility(page, "the question before shared pictures are added");
  await question.getByRole("button", { name: "Cancel" }).click();
  await page.reload();
  await page.waitForLoadState("networkidle");
  assert.equal(await question.count(), 0, "a share is asked about once");
  assert.equal(await total(url, token), 0);
  await share(page, pictures);
  await question.getByRole("button", { name: "Add" }).click();
  await page.getByRole("region", { name: "Uploads" }).getByText("2 added").first().waitFor();
  assert.equal(await total(url, token), 2);
  assert.deepEqual(await kept(page), { caches: [], databases: [], local: 0 });
});

test("the worker answers for shares alone: no page and no picture goes through it", async (t) => {
  const { page } = await signedIn(t);
  await workerIsReady(page);
  await page.reload();
  await page.waitForLoadState("networkidle");
  assert.equal(await page.evaluate(() => navigator.serviceWorker.controller), null);
  const entries = await page.evaluate(() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map((one) => one.workerStart));
  assert(entries.length > 5 && entries.every((start) => start === 0));
});

test("logging out takes worker and shared pictures away, and signing in brings the worker back", async (t) => {
  const { url, page } = await signedIn(t);
  await workerIsReady(page);
  await page.evaluate(async () => (await caches.open("x")).put("/x", new Response("left behind")));
  await withoutScripts(page);
  await shareToVault(page, pictures);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByText("You are signed out").waitFor();
  assert.deepEqual(await workers(page), []);
  assert.deepEqual(await kept(page), { caches: [], databases: [], local: 0 });
  await page.unroute("**/js/main.js");
  await page.reload();
  await page.waitForLoadState("networkidle");
  assert.deepEqual(await workers(page), [], "nobody is signed in");
  await signIn(page, url);
  await workerIsReady(page);
  assert.deepEqual(await take(page), []);
});

test("a share while signed out waits for the person to sign in", async (t) => {
  const { page } = await signedIn(t);
  await workerIsReady(page);
  await page.context().clearCookies();
  await share(page, pictures);
  await page.waitForURL("**/login?next=**");
  await page.waitForLoadState("networkidle");
  await page.getByLabel("User name or email").fill("wanda");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await withoutScripts(page);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL("**/vault#shared");
  assert.equal((await take(page)).length, pictures.length);
});

test("without a worker the server explains, and keeps nothing of the share", async (t) => {
  const { url, token, page } = await signedIn(t, { serviceWorkers: "block" });
  page.expectedComplaints = [/blocked by Playwright/];
  await share(page, pictures);
  await page.getByText("Nothing was added").waitFor();
  assert.equal(new URL(page.url()).pathname, "/vault");
  assert.equal(await total(url, token), 0);
});

test("what nobody asks for is forgotten after five minutes", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const listeners = {};
  const scope = {
    self: { addEventListener: (name, listener) => (listeners[name] = listener), skipWaiting: async () => {} },
    URL, Response, File, setTimeout, clearTimeout,
  };
  vm.runInNewContext(await readFile(path.join(root, "static/js/service-worker.js"), "utf8"), scope);
  const form = new FormData();
  form.append("files", new File(["x"], "a.png"));
  form.append("title", "not a file");
  const waits = [];
  const request = { method: "POST", url: "http://vault.example/share-target", formData: async () => form };
  const answered = new Promise((resolve) => {
    listeners.fetch({ request, respondWith: (answer) => answer.catch(() => {}).then(resolve), waitUntil: (wait) => waits.push(wait) });
  });
  await answered;
  const asked = () => {
    let files;
    listeners.message({ data: { type: "take-shared" }, ports: [{ postMessage: (data) => (files = data.files.length) }] });
    return files;
  };
  t.mock.timers.tick(5 * 60 * 1000);
  await Promise.all(waits);
  assert.equal(asked(), 0);
  for (const other of [{ method: "GET", url: request.url }, { method: "POST", url: "http://vault.example/login" }]) {
    listeners.fetch({ request: other, respondWith: () => assert.fail("it answered for another address"), waitUntil: () => assert.fail() });
  }
});
