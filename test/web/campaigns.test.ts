import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { campaignAccounts, campaignHistory } from "../../src/commands/data/reading/history.ts";
import { campaignsApi } from "../../src/commands/web/api/campaigns.ts";
import type { PageContext } from "../../src/commands/web/page.ts";
import { campaignRoutes, followCampaigns } from "../../src/commands/web/routes/campaigns.ts";
import { IchainError } from "../../src/errors/error.ts";
import { openJournal } from "../../src/journal/journal.ts";
import { COIN } from "../../src/protocol/amounts.ts";
import { encodeBrief } from "../../src/protocol/campaign/brief.ts";
import { type Campaign, foldCampaign } from "../../src/protocol/campaign/campaign.ts";
import type { CampaignEvent, CampaignFact } from "../../src/protocol/campaign/events.ts";
import { rowDigest } from "../../src/protocol/campaign/rows.ts";
import type { CampaignTerms, FixPlace } from "../../src/protocol/campaign/terms.ts";
import { NO_ROW } from "../../src/protocol/campaign/terms.ts";
import type { Address, Hex } from "../../src/protocol/ids.ts";
import { campaignFiles } from "../../src/roles/campaign/market/files.ts";
import { postTraining } from "../../src/roles/campaign/versions/train.ts";
import { toJson } from "../../src/ui/format.ts";
import { temporaryFolder } from "../support/binary.ts";

const [OWNER, CAREFUL, CARELESS, FIXER] = ["A", "b", "c", "d"].map((one) => `0x${one.repeat(40)}`) as [
  Address,
  Address,
  Address,
  Address,
];
const id = `0x${"e".repeat(64)}` as Hex;
const hash = `0x${"9".repeat(64)}` as Hex;
const [START, WINDOW, STEP] = [1_000_000, 3600, 600];
const hex = (text: string) => `0x${Buffer.from(text).toString("hex")}` as Hex;
const { description, specHash } = encodeBrief({
  name: "senten\u001b[2Jces",
  about: "A sentence.\nOne line.",
});

const terms: CampaignTerms = {
  ...{ owner: OWNER, token: COIN.address, deposit: 50n, price: 20n, reward: 10n, bond: 60n, fee: 10n },
  ...{ rows: 10, capacity: 7, closesAt: START + 7200, fixWindow: WINDOW, stepWindow: STEP },
  ...{ slices: 0, specHash, examRoot: NO_ROW },
};
const opened: CampaignFact = { kind: "opened", id, terms, description };
const added = (entry: number, author: Address, count: number): CampaignFact => ({
  ...{ kind: "added", entry, author, count, root: hash, locator: "0x" },
});
const fixed = (place: FixPlace, corrected: Hex, content: Hex): CampaignFact => ({
  ...{ kind: "fixed", place, fixer: FIXER, original: hash, corrected, content },
});
const first = { entry: 1, row: 0, fix: 0 };
const second = { entry: 0, row: 2, fix: 0 };

/** What happens, and when. */
const story: readonly (readonly [number, CampaignFact])[] = [
  [0, opened],
  [10, added(0, CAREFUL, 3)],
  [10, added(1, CARELESS, 2)],
  [20, fixed(first, rowDigest("1\tgreat"), hex("1\tgreat"))],
  [30, fixed(second, hash, hex("another text"))],
  [40, { kind: "judged", place: first, right: true }],
  [50, { kind: "judged", place: second, right: false }],
  [700, { kind: "taken", place: first }],
  [700, { kind: "taken", place: second }],
  [3700, { kind: "refunded", entry: 0 }],
  [3700, { kind: "refunded", entry: 1 }],
  [3800, { kind: "closed" }],
];
const upTo = (count: number): Campaign =>
  foldCampaign(
    story.slice(0, count).map(([at, fact], block): CampaignEvent => ({ ...fact, at: START + at, block })),
  )!;

/** A job whose validator agreed with its provider. */
const settled = {
  ...{ state: "Settled", terms: { provider: CAREFUL }, providerMeasurement: { digest: hash } },
  validations: [{ measurement: { digest: hash, score: 829_000_000n } }],
};

/** The page's answer to an account, of a chain that has these campaigns. */
async function answered(
  account: Address,
  campaigns: readonly Campaign[],
  {
    name,
    input,
    at,
    home = "/nowhere",
    commands,
  }: {
    name: keyof typeof campaignsApi;
    input: object;
    at: number;
    home?: string;
    /** Of a page that is unlocked. */
    commands?: readonly object[];
  },
) {
  const market = {
    now: async () => START + at,
    blockNumber: async () => 100,
    token: async () => COIN,
    resolveCampaign: async () => id,
    campaign: async () => campaigns[0],
    campaigns: async () => [...campaigns],
    job: async (job: Hex) => ({ ...settled, id: job }),
  };
  const context = { config: { home, paths: { journal: `${home}/journal` } }, commands, ui: {} };
  const locked = () => {
    throw new IchainError("WEB_LOCKED", "The page is locked.");
  };
  // A keystore writes its address in small letters, and events do not.
  const own = account.toLowerCase();
  const page = {
    context,
    market,
    account: own,
    keys: { password: commands ? () => "" : locked },
  } as unknown as PageContext;
  const { method, path } = campaignsApi[name];
  const found = campaignRoutes(page).find((one) => one.method === method && one.path === path)!;
  const answer = await found.answer(input, { signal: new AbortController().signal });
  return JSON.parse(toJson(answer)) as unknown;
}

async function shown(account: Address, events: number, at: number, home?: string) {
  const answer = await answered(account, [upTo(events)], {
    ...{ name: "campaign", input: { id }, at },
    ...(home !== undefined && { home }),
  });
  // As the page has it: amounts stay text.
  campaignsApi.campaign.output.parse(answer);
  return answer as ReturnType<typeof campaignsApi.campaign.output.parse>;
}

describe("the page's view of data campaigns", () => {
  test("one campaign has its terms, fates and curves, and its owner may judge while it is time", async () => {
    const one = await shown(OWNER, 5, 35);
    assert.equal(one.name, "senten·[2Jces", "no control character");
    assert.equal(one.about, "A sentence.\nOne line.");
    assert.deepEqual([one.state, one.roles, one.rows], ["open", ["owner"], { added: 5, left: 5 }]);
    assert.deepEqual(
      one.fixes.shown.map(({ place, judges, corrected }) => [place, judges, corrected]),
      [
        ["0/2/0", true, undefined],
        ["1/0/0", true, "1·great"],
      ],
      "a text that is not what was committed to is not shown",
    );
    assert.match(one.fixes.shown[1]!.fate, /Its owner judges until/);
    assert.deepEqual(one.due, { refund: 0, take: 0, close: true });
    assert.deepEqual(one.history.at, [START, START + 10, START + 20, START + 30, START + 35]);
    assert.deepEqual(one.history.rows, [0, 5, 5, 5, 5]);

    const other = await shown(FIXER, 5, 35);
    assert.ok(other.fixes.shown.every(({ judges }) => !judges));
    assert.equal(other.due.close, false);
    const late = await shown(OWNER, 5, 30 + 2 * STEP + 1);
    assert.ok(late.fixes.shown.every(({ judges }) => !judges));
    assert.equal(late.due.take, 2, "nobody judged, and anyone may end it");
  });

  test("a fix stands beside its row once this home has fetched it, unless that is large", async () => {
    using folder = temporaryFolder();
    const { dir, entry } = campaignFiles(folder.join("jobs"), id);
    mkdirSync(dir, { recursive: true });
    writeFileSync(entry(0), "1\tgood\n0\tbad\n1\tdull\n");
    writeFileSync(entry(1), "x".repeat((1 << 20) + 1));
    const { fixes, why } = await shown(OWNER, 5, 35, folder.path);
    assert.deepEqual(
      fixes.shown.map(({ place, original }) => [place, original]),
      [
        ["0/2/0", "1·dull"],
        ["1/0/0", undefined],
      ],
    );
    assert.match(why, /^You are the owner of this campaign\.\nIt takes rows until/);
  });

  test("the home that had models trained sees them with score, provider and rows", async () => {
    using folder = temporaryFolder();
    const laid = { rowsDigest: hash, rows: 4, without: [], block: 9 };
    const job = `0x${"7".repeat(64)}` as Hex;
    const journal = openJournal(folder.join("journal"));
    await postTraining({ journal }, id, laid, async () => ({ id: job }));
    journal.close();
    const { versions } = await shown(OWNER, 5, 35, folder.path);
    assert.deepEqual(
      versions.map(({ version, jobId, score, provider, rows }) => [version, jobId, score, provider, rows]),
      [[undefined, job, "0.829", CAREFUL, 4]],
    );
    assert.deepEqual((await shown(OWNER, 5, 35)).versions, [], "another home has none");
  });

  test("what accounts paid in is what they are credited and what is held, at every step", () => {
    for (let count = 1; count <= story.length; count++) {
      const campaign = upTo(count);
      const accounts = campaignAccounts(campaign);
      const sum = accounts.reduce((all, { paid, credited }) => all + paid - credited, 0n);
      assert.equal(sum, campaign.rules.held(), `after ${count} events`);
    }
  });

  test("in the end the careful author and the fixer gained, the careless one lost, and fixed rows are told", async () => {
    const one = await shown(CAREFUL, story.length, 4000);
    assert.equal(one.state, "closed");
    const balances = new Map(one.history.balances.map(({ account, values }) => [account, values.at(-1)!]));
    assert.equal(one.history.balances[0]!.account, CAREFUL, "one's own comes first");
    assert.ok(balances.get(CAREFUL)! > 0);
    assert.ok(
      balances.get(FIXER)! > 0,
      "the deposit that its right fix won is more than the bond of the false one",
    );
    assert.ok(balances.get(CARELESS)! < 0);
    assert.deepEqual(
      one.accounts.shown.filter(({ own }) => own).map(({ account }) => account),
      [CAREFUL],
    );
    assert.match(one.fixes.shown.find(({ place }) => place === "1/0/0")!.fate, /^Right\./);
    assert.equal(one.entries.shown[0]!.entry, 1, "the newest first");
  });

  test("more events than points leave some out, and never the last", () => {
    const campaign = upTo(story.length);
    const all = campaignHistory(campaign, [OWNER], 100);
    const few = campaignHistory(campaign, [OWNER], 3);
    assert.ok(few.length <= 3 && all.length > 3);
    assert.deepEqual(few.at(-1), all.at(-1));
  });

  test("the list has campaigns that take rows or concern the account, or all, 50 at once", async () => {
    const listed = async (account: Address, campaigns: readonly Campaign[], input: object) => {
      const asked = { name: "campaigns", input, at: 4000 } as const;
      const answer = await answered(account, campaigns, asked);
      return campaignsApi.campaigns.output.parse(answer);
    };
    const closed = upTo(story.length);
    assert.equal((await listed(OWNER, [closed], {})).count, 0, "it holds nothing any more");
    const all = await listed(OWNER, [closed], { which: "all" });
    assert.deepEqual(
      all.campaigns.map(({ state, roles, rows }) => [state, roles, rows.added]),
      [["closed", ["owner"], 5]],
    );
    const many = Array.from({ length: 60 }, () => upTo(2));
    const { count, campaigns } = await listed(CAREFUL, many, { from: "50" });
    assert.deepEqual([count, campaigns.length], [60, 10]);
    await assert.rejects(listed(CAREFUL, many, { from: "-1" }), { code: "USAGE" });
  });

  test("what signs needs the page unlocked, and a place of a fix", async () => {
    for (const [name, more] of [
      ["judge", { place: "0/2/0", verdict: "right" }],
      ["add", { rows: "1\tgood", most: "7" }],
      ["fix", { row: "0/2", how: "remove" }],
      ...(["take", "refund", "close", "rows"] as const).map((one) => [one, {}] as const),
    ] as const)
      await assert.rejects(answered(OWNER, [], { name, input: { id, ...more }, at: 0 }), {
        code: "WEB_LOCKED",
      });
    for (const place of ["0/2", "0/2/x", "1e9/0/0", "0/2/0/0"]) {
      const input = { id, place, verdict: "right" };
      await assert.rejects(answered(OWNER, [], { name: "judge", input, at: 0 }), { code: "USAGE" });
    }
  });

  test("rows that are written on the page are added as a file of rows, for no more than was said", async () => {
    const called: unknown[] = [];
    const given = { id, rows: "1\tgood\n0\tbad", most: "7" };
    const run = async (_: unknown, { file }: { file: string }, options: object) => {
      called.push([readFileSync(file, "utf8"), options]);
    };
    const fix = async (_: unknown, args: object, options: object) => void called.push([args, options]);
    const commands = [
      { name: "data add", load: async () => ({ run }) },
      { name: "data fix", load: async () => ({ run: fix }) },
    ];
    const ask = (name: "add" | "fix", input: object) => answered(OWNER, [], { name, input, at: 0, commands });
    await ask("add", given);
    await ask("add", { ...given, most: undefined, dryRun: true });
    await ask("fix", { id, row: "0/4", how: "with", text: "1\tfine" });
    await ask("fix", { id, row: "0/4", how: "absent" });
    assert.deepEqual(called, [
      [given.rows, { most: 7n }],
      [given.rows, { dryRun: true }],
      [{ id, row: { entry: 0, row: 4 } }, { with: "1\tfine" }],
      [{ id, row: { entry: 0, row: 4 } }, { absent: true }],
    ]);
    const bad = [{ rows: "" }, { rows: "x".repeat(60_001) }, { most: "-1" }, { most: undefined }];
    for (const one of bad) await assert.rejects(ask("add", { ...given, ...one }), { code: "USAGE" });
    await assert.rejects(ask("fix", { id, row: "0/4/0", how: "remove" }), { code: "USAGE" });
    assert.equal(called.length, 4);
  });

  test("a campaign that appears or changes is told once, and one that is there is not", async () => {
    const told: Hex[] = [];
    const watched = [upTo(2), upTo(3), upTo(3), { ...upTo(2), id: hash }] as Campaign[];
    const market = {
      campaigns: async () => [upTo(2)],
      async *watchCampaigns() {
        yield* watched;
      },
    };
    const { signal } = new AbortController();
    await followCampaigns(market, (one) => told.push(one), { signal });
    assert.deepEqual(told, [id, hash]);
  });
});
