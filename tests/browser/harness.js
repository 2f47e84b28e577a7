// The real program and a real Chromium, for the tests beside this file. `cargo build` has made the
// program; `scripts/mongod run` gives a MongoDB in IMAGE_VAULT_TEST_MONGODB.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { violations } from "./axe.js";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const password = "correct horse battery staple";

const mongodb = process.env.IMAGE_VAULT_TEST_MONGODB;
assert(mongodb, "these tests run on both stores: start them by `scripts/mongod run -- node --test tests/browser/*.test.js`");

/** The stores, each with an address that is new every time. */
export const stores = {
  embedded: () => "embedded",
  mongodb: () => {
    const uri = new URL(mongodb);
    uri.pathname = `/browser_${process.pid}_${Math.random().toString(36).slice(2)}`;
    return uri.href;
  },
};

/** The browser of this file's tests: starting one takes as long as a whole test. */
let browser = null;

/** The browser, started anew if it has crashed: then one test fails, and not all that follow. */
async function runningBrowser() {
  const last = await browser?.catch(() => null);
  if (!last?.isConnected()) {
    browser = chromium.launch({
      // The same engine without windows, menus and their own pages, which would take a third of the time.
      executablePath: "/usr/bin/chromium-headless-shell",
      args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
  }
  return browser;
}

/** Profiles that are open. */
const profiles = new Set();

after(async () => (await browser)?.close());

// Nothing is proved by how long something takes: on two slow cores a page may need many seconds. Only a failure waits so long.
const PATIENCE_MS = 60_000;

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Starts a server of its own for a test, with these settings (`QUOTA_BYTES`, without the prefix), and ends it with the test. */
export async function startServer(t, store = "embedded", dataDir = null, settings = {}) {
  const dir = await mkdtemp(path.join(os.tmpdir(), "image-vault-browser-"));
  const port = await freePort();
  const child = spawn(path.join(root, "target/debug/image-vault"), {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      ROCKET_PORT: String(port),
      IMAGE_VAULT_STORE: store,
      IMAGE_VAULT_DATA_DIR: dataDir ?? path.join(dir, "data"),
      IMAGE_VAULT_ARGON2_MEMORY: "19 MiB",
      IMAGE_VAULT_ARGON2_PASSES: "2",
      IMAGE_VAULT_METRICS_PORT: "0",
      IMAGE_VAULT_LOG: "warn",
      ...Object.fromEntries(Object.entries(settings).map(([key, value]) => [`IMAGE_VAULT_${key}`, value])),
    },
  });
  t.after(async () => {
    // Hooks run in their order: a page that outlives its server would complain of that.
    await Promise.all([...profiles].map((profile) => profile.close()));
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await rm(dir, { recursive: true, force: true });
  });
  const url = `http://localhost:${port}`;
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until; ) {
    assert.equal(child.exitCode, null, "the server ended at its start");
    const ready = await fetch(`${url}/health/ready`).catch(() => null);
    if (ready?.ok) return url;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail("the server did not become ready");
}

/** Registers an account over the API and returns its bearer token. */
export async function register(url, username = "wanda") {
  const send = (where, body) =>
    fetch(`${url}/api/v1/${where}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const made = await send("accounts", { username, email: `${username}@example.org`, password });
  assert.equal(made.status, 201);
  const signedIn = await send("sessions", { login: username, password });
  return (await signedIn.json()).token;
}

/** Uploads bytes over the API. */
export async function upload(url, token, name, bytes) {
  const answer = await fetch(`${url}/api/v1/images?name=${encodeURIComponent(name)}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: bytes,
  });
  assert(answer.ok, `${name}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

/**
 * A page of a new browser profile. The test fails if anything went wrong behind the scenes: a
 * message of the console's, an uncaught error, a violation of the content security policy.
 */
export async function openPage(t, options = {}) {
  const context = await (await runningBrowser()).newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true, reducedMotion: "reduce", ...options });
  profiles.add(context);
  context.on("close", () => profiles.delete(context));
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints = [];
  page.expectedComplaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  t.after(async () => {
    await context.close();
    const unexpected = complaints.filter((text) => !page.expectedComplaints.some((known) => known.test(text)));
    assert.deepEqual(unexpected, [], "the browser complained");
  });
  return page;
}

/** Signs in by the page. */
export async function signIn(page, url, username = "wanda") {
  await page.goto(`${url}/login`);
  await page.getByLabel("User name or email").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL("**/vault");
}

/** Waits until the page's scripts listen, for which its load event does not wait: a click before that is the plain form's. */
export const ready = (page) => page.locator("html[data-scripts=ready]").waitFor({ state: "attached" });

/**
 * Stops the clock of a page that is there already, a minute from now: its timers and the times of its events go on by
 * `page.clock.runFor` alone, however slow the machine is. (`install` by itself lets it run on.)
 */
export async function stopClock(page) {
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000);
}

/** Fails if axe-core finds anything on the page. */
export async function checkAccessibility(page, what) {
  // A page that is still coming may lack its style.
  await page.waitForLoadState();
  const found = await violations(page);
  const told = found.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
  assert.deepEqual(told, [], `${what} is not accessible to everybody`);
}

/** Waits for the download that `action` starts; its bytes are in the returned file. */
export async function download(page, action) {
  const [file] = await Promise.all([page.waitForEvent("download"), action()]);
  assert.equal(await file.failure(), null);
  return { name: file.suggestedFilename(), path: await file.path() };
}

/** How many pictures the account of this bearer token holds. */
export async function pictureCount(url, token, query = "") {
  const answer = await fetch(`${url}/api/v1/images?limit=1${query}`, { headers: { authorization: `Bearer ${token}` } });
  return (await answer.json()).total;
}

/** Drags real files or folders over the page, and tells so again and again as a hand does; `drop()` lets them go. */
export async function drag(page, paths) {
  const devtools = await page.context().newCDPSession(page);
  const event = (type) =>
    devtools.send("Input.dispatchDragEvent", { type, x: 300, y: 300, data: { items: [], files: paths, dragOperationsMask: 1 } });
  await event("dragEnter");
  await event("dragOver");
  // The page may be gone before the hand.
  const alive = setInterval(() => event("dragOver").catch(() => {}), 400).unref();
  const end = (type) => {
    clearInterval(alive);
    return event(type);
  };
  return { drop: () => end("drop"), leave: () => end("dragCancel") };
}

/**
 * The vault of a new account on a new server, with what tests of uploads need. The page is older than the server, so that
 * it ends first: a thumbnail that is still loading is no complaint.
 */
export async function openVault(t, { store, settings, ...options } = {}) {
  const page = await openPage(t, options);
  const url = await startServer(t, store, null, settings);
  const token = await register(url);
  await signIn(page, url);
  // Only scripts show it: from here on they listen.
  await page.locator("[data-upload=menu]:not([hidden])").waitFor({ state: "attached" });
  await page.waitForSelector("[data-gallery=ready]");
  return {
    url,
    token,
    page,
    tray: page.getByRole("region", { name: "Uploads" }),
    pick: (files) => page.locator("#upload-files").setInputFiles(files),
    count: (query) => pictureCount(url, token, query),
  };
}
