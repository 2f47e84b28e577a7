// Light and dark (R4.8): on every page, remembered, the system's until one is chosen, and never the other one first.

import assert from "node:assert/strict";
import test from "node:test";

import { checkAccessibility, openPage, ready, register, signIn, startServer } from "./harness.js";

const dark = /^oklch\(0\.1/;
const light = /^oklch\(0\.9/;

const background = (page) => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

async function openMenu(page) {
  await page.locator("summary", { has: page.getByRole("img", { name: "Theme" }) }).click();
}

async function choose(page, name) {
  await openMenu(page);
  await page.getByRole("button", { name, exact: true }).click();
}

/** Without scripts the choice is a form, whose answer is a page of its own. */
async function choosePlainly(page, name) {
  await Promise.all([page.waitForEvent("load"), choose(page, name)]);
}

async function withAccount(t, options) {
  let page;
  // Before the server ends, or scripts that are still on their way would fail.
  t.after(() => page?.close());
  const url = await startServer(t);
  await register(url);
  page = await openPage(t, { colorScheme: "light", ...options });
  return { url, page };
}

test("until somebody chooses, a page is as the system is, and changes with it", async (t) => {
  const { url, page } = await withAccount(t);
  await page.goto(`${url}/login`);
  assert.match(await background(page), light);
  await page.emulateMedia({ colorScheme: "dark" });
  assert.match(await background(page), dark);
});

test("without scripts the switch leads back to the same page, in the colours that were chosen", async (t) => {
  const { url, page } = await withAccount(t, { javaScriptEnabled: false });
  page.expectedComplaints = [/404/];
  // Playwright's own evaluation still works where the page's scripts do not.
  await page.goto(`${url}/login`);
  await choosePlainly(page, "Dark");
  assert.equal(page.url(), `${url}/login`);
  assert.match(await background(page), dark);
  await signIn(page, url);
  await page.goto(`${url}/vault?q=sun&sort=name`);
  assert.match(await background(page), dark);
  await choosePlainly(page, "Light");
  assert.equal(page.url(), `${url}/vault?q=sun&sort=name`);
  assert.match(await background(page), light);
  for (const path of ["/trash", "/nothing/here"]) {
    await page.emulateMedia({ colorScheme: "dark" });
    await page.goto(url + path);
    assert.match(await background(page), light, `${path} forgot what was chosen`);
  }
  await choosePlainly(page, "System");
  assert.match(await background(page), dark);
});

test("with scripts the colours change at once, and the next page has them too", async (t) => {
  const { url, page } = await withAccount(t);
  await signIn(page, url);
  await ready(page);
  await page.evaluate(() => (globalThis.sameDocument = true));
  const remembered = page.waitForResponse((response) => new URL(response.url()).pathname === "/theme");
  await choose(page, "Dark");
  assert.match(await background(page), dark);
  assert.equal(await page.evaluate(() => globalThis.sameDocument), true, "the page was loaded anew");
  await page.getByText("Theme: Dark.").waitFor({ state: "attached" });
  assert.equal((await remembered).status(), 303);
  await page.goto(`${url}/trash`);
  assert.match(await background(page), dark);
  await ready(page);
  await openMenu(page);
  const current = page.locator(".theme [aria-current]");
  assert.deepEqual(await current.allTextContents(), ["Dark"]);
  await page.getByRole("button", { name: "System", exact: true }).click();
  assert.match(await background(page), light);
});

test("a theme that the server cannot remember is told to be for this page only", async (t) => {
  const { url, page } = await withAccount(t);
  page.expectedComplaints = [/ERR_INTERNET_DISCONNECTED/];
  await page.goto(`${url}/login`);
  await ready(page);
  await openMenu(page);
  await page.getByRole("button", { name: "Dark" }).waitFor();
  await page.context().setOffline(true);
  await page.getByRole("button", { name: "Dark" }).click();
  await page.getByText("It is not remembered").waitFor({ state: "attached" });
  assert.match(await background(page), dark);
});

test("the first paint already has the colours that were chosen", async (t) => {
  const { url, page } = await withAccount(t);
  await signIn(page, url);
  await ready(page);
  const remembered = page.waitForResponse((response) => new URL(response.url()).pathname === "/theme");
  await choose(page, "Dark");
  await remembered;
  // Every frame is looked at, and no script of ours runs before the first one was painted.
  await page.addInitScript(() => {
    globalThis.frames = [];
    const look = () => {
      if (document.body) globalThis.frames.push(getComputedStyle(document.documentElement).backgroundColor);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  let release;
  const painted = new Promise((resolve) => (release = resolve));
  await page.route("**/js/main.js", async (route) => {
    await painted;
    await route.continue();
  });
  await page.goto(`${url}/vault`, { waitUntil: "commit" });
  await page.waitForFunction(() => performance.getEntriesByName("first-paint").length > 0 && globalThis.frames.length > 0);
  const shot = await page.screenshot({ clip: { x: 0, y: 0, width: 1, height: 1 } });
  release();
  await page.waitForLoadState("networkidle");
  const seen = [...new Set(await page.evaluate(() => globalThis.frames))];
  assert.equal(seen.length, 1, `the page was ${seen.join(", then ")}`);
  assert.match(seen[0], dark);
  assert.deepEqual(await corner(page, shot), await corner(page, await page.screenshot({ clip: { x: 0, y: 0, width: 1, height: 1 } })));
});

/** The bytes of a picture's only pixel. */
function corner(page, png) {
  return page.evaluate(async (bytes) => {
    const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas.drawImage(picture, 0, 0);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  }, [...png]);
}

test("the browser's own frame has the colour of the page", async (t) => {
  const { url, page } = await withAccount(t);
  // The one that applies, as Chromium reads them: the first whose media query matches.
  const frame = () =>
    page.evaluate(() => {
      const hex = (colour) => {
        const canvas = new OffscreenCanvas(1, 1).getContext("2d");
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].join(" ");
      };
      const metas = [...document.querySelectorAll("meta[name=theme-color]")].filter((meta) => matchMedia(meta.media).matches);
      return { frames: metas.map((meta) => hex(meta.content)), page: [hex(getComputedStyle(document.documentElement).backgroundColor)] };
    });
  const check = async (what) => {
    const found = await frame();
    assert.deepEqual(found.frames, found.page, what);
  };
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const chosen of ["Light", "Dark", "System"]) {
      await page.goto(`${url}/login`);
      await ready(page);
      const remembered = page.waitForResponse((response) => new URL(response.url()).pathname === "/theme");
      await choose(page, chosen);
      await remembered;
      await check(`${chosen} was chosen, the system is ${colorScheme}`);
      await page.reload();
      await check(`${chosen} was chosen and the page loaded again, the system is ${colorScheme}`);
    }
  }
});

test("the switch is used by keyboard alone, and is accessible on every screen", async (t) => {
  for (const colorScheme of ["light", "dark"]) {
    for (const viewport of [{ width: 1280, height: 800 }, { width: 360, height: 740 }, { width: 320, height: 600 }]) {
      const { url, page } = await withAccount(t, { colorScheme, viewport });
      const summary = page.locator(".theme summary");
      await signIn(page, url);
      for (const path of ["/vault", "/login", "/nothing"]) {
        if (path === "/login") await page.context().clearCookies();
        page.expectedComplaints = [/404/];
        await page.goto(url + path);
        await ready(page);
        await summary.focus();
        await page.keyboard.press("Enter");
        await page.locator(".theme[open]").waitFor();
        await checkAccessibility(page, `${path} with the open theme menu, ${colorScheme}, ${viewport.width} px`);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert(overflow <= 0, `${path} is ${overflow} px too wide at ${viewport.width} px`);
        for (const box of await page.locator(".theme button").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON()))) {
          assert(box.left >= 0 && box.right <= viewport.width && box.height >= 44, JSON.stringify(box));
        }
        await page.keyboard.press("Escape");
        assert.equal(await page.locator(".theme[open]").count(), 0);
        assert.equal(await summary.evaluate((element) => element === document.activeElement), true, "the focus stays with the switch");
      }
      await page.keyboard.press("Enter");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.getByText("Theme: Dark.").waitFor({ state: "attached" });
      assert.match(await background(page), dark);
      assert.equal(await summary.evaluate((element) => element === document.activeElement), true, "the focus comes back to the switch");
    }
  }
});
