// The tray as people with different eyes and screens meet it: open, as a pill, with failures; and what is said aloud.

import assert from "node:assert/strict";
import test from "node:test";

import { checkAccessibility, drag, openVault } from "./harness.js";
import { allLooks, screenshot } from "./looks.js";
import { png, tinyFiles } from "./pictures.js";

const IMAGES = /\/api\/v1\/images\?name=/;

for (const [name, options] of Object.entries(allLooks)) {
  test(`the tray is accessible to everybody, ${name}`, async (t) => {
    const { page, tray, pick } = await openVault(t, options);
    page.expectedComplaints = [/415|422/];
    const narrow = options.viewport.width < 768;
    const toggle = tray.getByRole("button", { expanded: !narrow });
    let open;
    const opened = new Promise((resolve) => (open = resolve));
    let sent = 0;
    await page.route(IMAGES, async (route) => {
      if (++sent > 6) await opened;
      await route.fallback();
    });
    const files = [1, 2, 3, 4].map((n) => ({ name: `Evening at the harbour ${n}.png`, mimeType: "image/png", buffer: png(640, 480, [40 * n, 90, 200 - 40 * n]) }));
    files.splice(2, 0, { name: "notes from the journey, all of them.jpg", mimeType: "image/jpeg", buffer: Buffer.from("words") }, { name: "empty.png", mimeType: "image/png", buffer: Buffer.alloc(0) });
    await pick([...files, ...tinyFiles(12)]);
    await tray.getByText("Adding 7 of 18").waitFor();

    // On a phone it is a pill first, on a desktop a window.
    await toggle.waitFor();
    await screenshot(page, `uploads-first-${name}`);
    await checkAccessibility(page, "the tray at first");
    await toggle.click();
    await tray.getByRole("button", { expanded: narrow }).waitFor();
    await screenshot(page, `uploads-toggled-${name}`);
    await checkAccessibility(page, "the tray, toggled");
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(overflow <= 0, `${overflow} px wider than the screen`);

    open();
    await tray.getByText("16 added, 2 not added").waitFor();
    if (!narrow) await toggle.or(tray.getByRole("button", { expanded: false })).first().click();
    await tray.getByRole("button", { name: "Retry all failed" }).waitFor();
    await screenshot(page, `uploads-failures-${name}`);
    await checkAccessibility(page, "the tray with failures");
    const touchable = await tray.getByRole("button").evaluateAll((buttons) => buttons.every((button) => button.offsetHeight >= 44 && button.offsetWidth >= 44));
    assert(touchable, "every button is large enough for a finger");
    await tray.getByRole("button", { name: "Close the uploads" }).click();
    await tray.waitFor({ state: "detached" });
    await checkAccessibility(page, "what was just added");
    await screenshot(page, `uploads-arrivals-${name}`);
  });
}

test("the overlay of a drop is seen on every screen", async (t) => {
  const { page } = await openVault(t);
  const dragged = await drag(page, ["/etc/hostname"]);
  await page.getByText("Drop to add to your vault").waitFor();
  await screenshot(page, "uploads-drop");
  await dragged.leave();
  await page.getByText("Drop to add to your vault").waitFor({ state: "detached" });
});

test("a slow line shows bars, the speed and the time that is left", async (t) => {
  const { page, tray } = await openVault(t);
  const devtools = await page.context().newCDPSession(page);
  const line = (uploadThroughput) => devtools.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
  await devtools.send("Network.enable");
  await line(300_000);
  await page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    for (let i = 0; i < 4; i++) dataTransfer.items.add(new File([String(i), new Uint8Array(2 << 20)], `slow-${i}.png`, { type: "image/png" }));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  });
  await tray.getByText(/^\d+% · .*iB of 8 MiB · .*iB\/s · \d+ (s|min) left$/).waitFor();
  const bars = tray.getByRole("listitem").getByRole("progressbar");
  assert.equal(await bars.count(), 3, "three at a time");
  assert(await bars.first().evaluate((bar) => bar.value > 0 && bar.value < 1));
  await screenshot(page, "uploads-slow");
  await tray.getByRole("button", { name: "Cancel all" }).click();
  await tray.getByText("4 cancelled").waitFor();
  await line(-1);
});

test("what happens is said aloud now and then, and always the end", async (t) => {
  const { page, tray, pick } = await openVault(t);
  page.expectedComplaints = [/415/];
  await page.evaluate(() => {
    window.said = [];
    const note = (records) => records.forEach(({ target }) => window.said.push(target.textContent));
    for (const region of document.querySelectorAll("[role=status]")) new MutationObserver(note).observe(region, { childList: true });
  });
  let sent = 0;
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  await page.route(IMAGES, async (route) => {
    if (++sent > 3) await opened;
    await route.fallback();
  });
  await pick([...tinyFiles(79), { name: "text.jpg", mimeType: "image/jpeg", buffer: Buffer.from("no picture") }]);
  await page.waitForFunction(() => window.said.includes("3 of 80 uploaded"));
  open();
  await tray.getByText("79 added, 1 not added").waitFor();
  await page.waitForFunction(() => window.said.at(-1) === "79 added, 1 not added");
});

test("the keyboard alone reaches everything in the tray", async (t) => {
  const { page, tray, pick, count } = await openVault(t);
  page.expectedComplaints = [/500/];
  let healthy = false;
  await page.route(IMAGES, (route) => (healthy ? route.fallback() : route.fulfill({ status: 500, body: "" })));
  await pick(tinyFiles(2));
  await tray.getByText("2 not added").waitFor();
  healthy = true;
  await tray.getByRole("button", { expanded: true }).focus();
  for (const name of [/Close the uploads/, "Files", /Retry tiny-0000/]) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.querySelector("[aria-label]")?.getAttribute("aria-label"));
    assert.match(focused, new RegExp(name));
  }
  await page.keyboard.press("Enter");
  await tray.getByText("1 added, 1 not added").waitFor();
  assert(await tray.evaluate((root) => root.contains(document.activeElement)), "the focus is not lost with the button");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await tray.getByText("2 added", { exact: true }).waitFor();
  assert.equal(await count(), 2);
});

test("the button that floats on a phone covers no words at the end of the page", async (t) => {
  const { page, tray, pick } = await openVault(t, allLooks["phone-light"]);
  const areClear = async () => {
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    const button = await page.locator(".toolbar .upload").boundingBox();
    const words = await page.evaluate(() => {
      const range = document.createRange();
      range.selectNodeContents(document.querySelector(".site-footer"));
      return range.getBoundingClientRect().bottom;
    });
    assert(words <= button.y, `the words end at ${words}, the button begins at ${button.y}`);
  };
  await areClear();
  // Above the tray of uploads it floats higher.
  await pick(tinyFiles(1));
  await tray.getByText("1 added").waitFor();
  await areClear();
});
