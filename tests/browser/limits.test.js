// How much an account may keep, as its owner sees it; and that nobody who looks at pictures ever meets a limit of calls.

import assert from "node:assert/strict";
import test from "node:test";

import { dashboard, expectSoon } from "./gallery.js";
import { checkAccessibility, openPage, openVault, pictureCount, register, signIn, startServer, upload } from "./harness.js";
import { looks, screenshot } from "./looks.js";
import { png, tinyFiles } from "./pictures.js";

for (const [look, options] of Object.entries(looks)) {
  test(`the account page shows what is left and warns, ${look}`, async (t) => {
    const url = await startServer(t, "embedded", null, { QUOTA_BYTES: "50 GiB", QUOTA_IMAGES: "10" });
    const token = await register(url);
    const page = await openPage(t, options);
    await signIn(page, url);
    for (let n = 0; n < 9; n += 1) await upload(url, token, `${n}.png`, png(20, 20, [n, 90, 90]));
    await page.goto(`${url}/account`);
    await page.getByText("of 50 GiB · 9 of 10 pictures").waitFor();
    assert.equal(await page.getByRole("meter").count(), 2);
    assert.equal(await page.getByRole("meter", { name: "Number" }).evaluate((meter) => meter.value), 9);
    await page.getByText("Your vault is nearly full").waitFor();
    await checkAccessibility(page, "an account that is nearly full");
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(overflow <= 0, `the page is ${overflow} px wider than the screen`);
    await page.getByRole("meter", { name: "Number" }).scrollIntoViewIfNeeded();
    await screenshot(page, `account-room-${look}`);
  });
}

test("what does not fit says so in its row, and is not tried again by itself", async (t) => {
  const { page, tray, pick, count } = await openVault(t, { settings: { QUOTA_IMAGES: "4", QUOTA_BYTES: "100 KiB" } });
  page.expectedComplaints = [/507/, /413/];
  const sent = [];
  page.on("request", (request) => {
    if (request.url().includes("/api/v1/images?name=")) sent.push(request.url());
  });
  const large = { name: "large.png", mimeType: "image/png", buffer: Buffer.concat([png(30, 30, [1, 2, 3]), Buffer.alloc(100 << 10)]) };
  await pick([...tinyFiles(6), large]);
  await tray.getByText("4 added, 3 not added", { exact: true }).waitFor();
  assert.equal(await tray.getByText(/There is no room for this: .* 4 of 4 pictures are used/).count(), 2);
  assert.equal(await tray.getByText("The file is too large: your whole vault may keep 100 KiB, thumbnails and all.").count(), 1);
  assert.equal(sent.length, 7, "each once");
  assert.equal(await count(), 4);
});

test("who scrolls through hundreds of pictures, adds hundreds and looks around meets no limit of calls", async (t) => {
  const { url, token, page, pick, tray } = await openVault(t);
  const answers = new Map();
  page.on("response", (answer) => answers.set(answer.status(), (answers.get(answer.status()) ?? 0) + 1));
  const began = Date.now();
  await pick(tinyFiles(620));
  await tray.getByText("620 added", { exact: true }).waitFor({ timeout: 240_000 });
  const seconds = (Date.now() - began) / 1000;
  const calls = [...answers.values()].reduce((all, some) => all + some, 0);
  t.diagnostic(`620 files: ${calls} answers in ${seconds.toFixed(1)} s, ${(calls / seconds).toFixed(0)} a second`);
  assert.equal(await pictureCount(url, token), 620);
  const looking = await dashboard(t, url);
  looking.on("response", (answer) => answers.set(answer.status(), (answers.get(answer.status()) ?? 0) + 1));
  for (let turn = 0; turn < 3; turn += 1) {
    for (const key of ["End", "Home"]) {
      await looking.keyboard.press(key);
      await expectSoon(() => looking.locator(".photo[data-id]").count().then((shown) => shown > 0), true);
    }
    for (let step = 0; step < 12; step += 1) await looking.mouse.wheel(0, 700);
  }
  for (const where of ["/account", "/trash", "/vault", "/account/security", "/vault"]) await looking.goto(url + where);
  assert.equal(answers.get(429) ?? 0, 0, JSON.stringify([...answers]));
});
