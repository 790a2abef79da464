import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import type { Page } from "playwright-core";
import { needs } from "../support/require.ts";
import { CHROMIUM, openBrowser, openTab, picture } from "../support/web/browser.ts";
import { answersOf, servePage } from "../support/web/fake.ts";

const WAIT_MS = 10_000;
const campaign = `0x${"ef".repeat(32)}`;
const views = [
  ["jobs", "Jobs"],
  ["submit", "New job"],
  ["offers", "Providers"],
  ["pools", "Pools"],
  ["gossip", "Gossip"],
  ["work", "Work"],
  ["help", "Help"],
  [`job/0x${"ab".repeat(32)}`, "Job "],
  [`job/0x${"cd".repeat(32)}`, "Federated job"],
  ["campaigns", "Campaigns"],
  [`campaign/${campaign}`, "Campaign "],
] as const;

async function show(page: Page, place: string, heading: string): Promise<void> {
  await page.evaluate(`location.hash = "#/${place}"`);
  await page.getByRole("heading", { level: 1, name: heading }).waitFor();
  await page.locator(".wait").first().waitFor({ state: "detached" });
}

async function opened(t: TestContext, strange: string) {
  const web = await servePage(t, answersOf(strange));
  const browser = await openBrowser(t);
  const page = await openTab(browser);
  page.setDefaultTimeout(WAIT_MS);
  await page.goto(web.link);
  await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
  return { ...web, browser, page };
}

test(
  "each view stands in light, in dark and on a phone, without a fault that axe knows, and says nothing to the console",
  needs(CHROMIUM),
  async (t) => {
    const { page, hub, posted } = await opened(t, "an ordinary text");
    const job = `0x${"ab".repeat(32)}`;
    for (const [place, heading] of views) {
      await show(page, place, heading);
      if (place === "submit") {
        await page.getByRole("button", { name: "an ordinary text" }).click();
        await page.getByRole("button", { name: "See who could do it" }).click();
        await page.getByRole("button", { name: "Lock the money" }).waitFor();
      }
      if (place === "work") {
        await page.getByRole("button", { name: "Examine this machine" }).click();
        await page.getByText("tor: an ordinary text").waitFor();
        assert.ok(await page.getByRole("button", { name: "Collect 0.5 coin" }).isDisabled());
        await page.getByLabel("Coin").fill("0.25");
        await page.getByRole("button", { name: "Add to the stake" }).click();
        await page.getByLabel("Wallet password").fill("a password");
        await page.getByRole("dialog").getByRole("button", { name: "Unlock" }).click();
        await page.getByRole("status").getByText("an ordinary text").waitFor();
        assert.deepEqual(posted.at(-1), { path: "/api/stake/deposit", input: { coin: "0.25" } });
      }
      if (place === `job/${job}`) {
        const progress = { kind: "progress", id: "fetch", done: 3e6, total: 8e6, lanes: [1e6, 4e5, 9e5] };
        const report = { ...progress, at: Date.now() / 1000, text: "Fetching the encrypted result", job };
        hub.emit("report", JSON.stringify(report));
        await page.getByRole("progressbar", { name: "Fetching the encrypted result" }).waitFor();
        assert.equal(await page.getByRole("meter").count(), 3);
      }
      if (place === `campaign/${campaign}`) {
        await page.getByRole("button", { name: "0/1/0 is wrong" }).click();
        await page.getByLabel("Wallet password").fill("a password");
        await page.getByRole("dialog").getByRole("button", { name: "Unlock" }).click();
        await page.getByRole("status").getByText("an ordinary text").waitFor();
        const verdict = { id: campaign, place: "0/1/0", verdict: "wrong" };
        assert.deepEqual(posted.at(-1), { path: "/api/campaigns/:id/judge", input: verdict });
        const rows = "1\tgood\n0\tbad\n";
        const file = { name: "rows.txt", mimeType: "text/plain", buffer: Buffer.from(rows) };
        await page.getByLabel("Or a small file of rows").setInputFiles(file);
        const unlock = async () => {
          await page.getByLabel("Wallet password").fill("a password");
          await page.getByRole("dialog").getByRole("button", { name: "Unlock" }).click();
        };
        await page.getByRole("button", { name: "See what they would lock" }).click();
        await unlock();
        await page
          .getByRole("region", { name: "What they would lock" })
          .getByText("an ordinary text")
          .waitFor();
        assert.deepEqual(posted.at(-1)?.input, { id: campaign, rows, dryRun: true });
        await page.getByRole("button", { name: "Lock the deposits and add them" }).click();
        await unlock();
        await page.getByRole("region", { name: "What they would lock" }).waitFor({ state: "detached" });
        const added = { id: campaign, rows, most: "7" };
        assert.deepEqual(posted.at(-1), { path: "/api/campaigns/:id/add", input: added });
        const fix = page.getByRole("button", { name: "and fix it" });
        assert.ok(await fix.isDisabled());
        await page.getByLabel("Which: entry/row").fill("0/1");
        await page.getByLabel("The row as it should be").fill("1\tfine");
        await fix.click();
        await unlock();
        await page.waitForFunction('document.querySelector("[placeholder=\'0/4\']").value === ""');
        const fixed = { id: campaign, row: "0/1", how: "with", text: "1\tfine" };
        assert.deepEqual(posted.at(-1), { path: "/api/campaigns/:id/fix", input: fixed });
        const again = page.waitForResponse(`**/api/campaigns/${campaign}`);
        hub.emit("campaign", JSON.stringify({ campaignId: campaign }));
        await again;
      }
      await picture(page, heading.trim().toLowerCase().replace(" ", "-"));
    }
    assert.deepEqual(page.complaints, []);
  },
);

test(
  "script in a name, a log, a reason, a metric or a file name is shown as text",
  needs(CHROMIUM),
  async (t) => {
    const strange = `<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>"'><a href="javascript:hurt=1">`;
    const { page, hub } = await opened(t, strange);
    for (const [place, heading] of views) {
      await show(page, place, heading);
      if (place === "submit") {
        await page.getByRole("button", { name: "onerror" }).click();
        await page.getByRole("button", { name: "See who could do it" }).click();
        await page.getByRole("heading", { name: "The plan" }).waitFor();
      }
      if (place.startsWith("job/0xab")) {
        await page.getByRole("button", { name: "Show the log" }).click();
        await page.getByLabel("Wallet password").fill("a password");
        await page.getByRole("dialog").getByRole("button", { name: "Unlock" }).click();
        await page.locator("pre.log").getByText(strange).waitFor();
        hub.emit("notice", JSON.stringify({ text: strange }));
        await page.locator(".banner").getByText(strange).waitFor();
      }
      assert.ok((await page.locator("#page").textContent())?.includes(strange), `${place} shows it`);
      assert.equal(await page.locator("main img, main script, main a[href^=javascript]").count(), 0, place);
    }
    assert.equal(await page.evaluate("'hurt' in window"), false);
    assert.deepEqual(page.complaints, []);
  },
);

test(
  "the keyboard alone reaches what the mouse does, and the dialog keeps it",
  needs(CHROMIUM),
  async (t) => {
    const { page, posted } = await opened(t, "name");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate("document.activeElement.id"), "main");
    await show(page, `job/0x${"ab".repeat(32)}`, "Job ");
    await page.getByRole("button", { name: "Rate the provider" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.type("a password");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    const rated = () => posted.map(({ path }) => path);
    while (rated().length < 2) await page.evaluate("new Promise(requestAnimationFrame)");
    assert.deepEqual(rated(), ["/api/unlock", "/api/jobs/:id/rate"]);
    await page.getByRole("button", { name: "Rate the provider" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("It needs the wallet's password.").waitFor();
  },
);

test(
  "no other site gets at the page: by a frame, a form, a fetch, or its own name for the address",
  needs(CHROMIUM),
  async (t) => {
    const { page, at, port, browser, posted } = await opened(t, "a secret of this home");
    // Of another origin, and of the same site: cookies are sent to it.
    const evil = createServer((_, response) => {
      response.setHeader("content-type", "text/html");
      response.end(`<iframe src="${at}"></iframe><form method="post" action="${at}api/unlock"
      enctype="text/plain"><input name='{"password":"x' value='"}'></form>`);
    });
    await once(evil.listen(0, "127.0.0.1"), "listening");
    t.after(() => evil.close());
    const tab = await page.context().newPage();
    await tab.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`);
    const [, frame] = tab.frames();
    await frame!.waitForLoadState();
    assert.doesNotMatch(await frame!.content(), /id="page"/);
    const read = await tab.evaluate(async (url) => {
      const ask = (path: string, init: RequestInit) =>
        fetch(url + path, { credentials: "include", ...init }).then(
          (response) => response.text(),
          () => "refused",
        );
      return [
        await ask("api/jobs", {}),
        await ask("api/unlock", { method: "POST", body: '{"password":"x"}' }),
        await ask("api/jobs", { mode: "no-cors" }),
      ];
    }, at);
    assert.deepEqual(read, ["refused", "refused", "refused"]);
    await Promise.all([tab.waitForNavigation(), tab.evaluate("document.querySelector('form').submit()")]);
    assert.match(await tab.content(), /WEB_REFUSED/);
    assert.deepEqual(posted, []);
    // Another browser with the link, which was used.
    const late = await openTab(browser);
    await late.goto(page.url());
    await late.getByText("This browser has not opened the page by its link.").waitFor();
    const name = `http://rebound.localhost:${port}/`;
    assert.equal((await tab.goto(name))?.status(), 421);
  },
);
