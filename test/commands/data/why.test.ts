import assert from "node:assert/strict";
import { test } from "node:test";
import { campaignStory } from "../../../src/commands/data/reading/turns.ts";
import { campaignLines, explainCampaign } from "../../../src/commands/data/reading/why.ts";
import type { CommandContext } from "../../../src/commands/framework/declaration.ts";
import { subjectOf } from "../../../src/commands/job/reading/subject.ts";
import { dataOutputs } from "../../../src/commands/output/campaign.ts";
import { IchainError } from "../../../src/errors/error.ts";
import type { MarketReader } from "../../../src/ports/market.ts";
import { COIN } from "../../../src/protocol/amounts.ts";
import { foldCampaign } from "../../../src/protocol/campaign/campaign.ts";
import type { CampaignEvent, CampaignFact } from "../../../src/protocol/campaign/events.ts";
import { type CampaignTerms, NO_ROW } from "../../../src/protocol/campaign/terms.ts";
import type { Address, Hex } from "../../../src/protocol/ids.ts";
import { toJson } from "../../../src/ui/format.ts";

const ETHER = 10n ** 18n;
const address = (digit: string) => `0x${digit.repeat(40)}` as Address;
const [owner, author, fixer, judge, second, third] = ["1", "2", "3", "4", "5", "6"].map(address) as [
  ...[Address, Address, Address, Address, Address, Address],
];
const id = `0x${"ab".repeat(32)}` as Hex;
const place = { entry: 0, row: 4, fix: 0 };

const terms: CampaignTerms = {
  ...{ owner, token: COIN.address, rows: 10, capacity: 100, slices: 0 },
  ...{ deposit: ETHER / 20n, price: ETHER / 50n, reward: ETHER / 100n, bond: ETHER / 10n, fee: ETHER / 100n },
  ...{ closesAt: 10_000, fixWindow: 3_600, stepWindow: 600, specHash: NO_ROW, examRoot: NO_ROW },
};
const opened: CampaignFact = { kind: "opened", id, terms, description: "0x" };
const added: CampaignFact = { kind: "added", entry: 0, author, root: id, count: 5, locator: "0x" };
const fixed: CampaignFact = {
  ...{ kind: "fixed", place, fixer, original: id, corrected: id, content: "0x" },
};
const judged: CampaignFact = { kind: "judged", place, right: true };
const appealed: CampaignFact = { kind: "appealed", place, appellant: author, drawBlock: 9 };
const drawn: CampaignFact = { kind: "panelDrawn", place, members: [judge, second, third] };

/** The story at second `now` for `account`, of what happened at the seconds given. */
function storyOf(
  facts: readonly (readonly [at: number, fact: CampaignFact])[],
  now: number,
  account?: Address,
) {
  const events = facts.map(([at, fact], block): CampaignEvent => ({ ...fact, at, block }));
  const campaign = foldCampaign(events)!;
  const sight = { now, account, token: COIN };
  return { ...campaignStory(campaign, sight), lines: campaignLines(campaign, sight) };
}

const begun = [
  [0, opened],
  [100, added],
  [200, fixed],
] as const;

test("the owner is told to judge by its deadline, and what happens where it is silent", () => {
  const { next, otherwise, turns, lines } = storyOf(begun, 300, owner);
  assert.match(next, /^You can judge fix 0\/4\/0 until 1970-01-01 00:13:20 UTC: "ichain data judge abababab/);
  assert.match(otherwise, /author or fixer may appeal until 1970-01-01 00:23:20 UTC/);
  assert.equal(lines[0], "You are the owner of this campaign.");
  assert.match(lines[1]!, /^It takes rows until .*: 5 of 10 are added; open fixes: 1; it holds/);
  assert.deepEqual(
    turns.map(({ until, yours }) => [until, yours]),
    [
      [800, true],
      [3_700, false],
      [10_000, false],
    ],
  );
});

test("others read whose turn it is, without the command that is not theirs", () => {
  const { next } = storyOf(begun, 300, judge);
  assert.equal(next, "The owner can judge fix 0/4/0 until 1970-01-01 00:13:20 UTC.");
});

test("author and fixer may appeal after the owner's silence, and the loser after its verdict", () => {
  for (const party of [author, fixer])
    assert.match(storyOf(begun, 900, party).next, /^You can have a panel judge fix 0\/4\/0 for 0.03 /);
  const after = storyOf([...begun, [300, judged]], 400, author);
  assert.match(after.next, /^You can have a panel judge .* until .*"ichain data appeal abababab 0\/4\/0"\.$/);
  assert.match(
    after.otherwise,
    /right, as the owner says: 33333333 gets 0.16125 coin: bond, deposit and reward/,
  );
  const won = storyOf([...begun, [300, judged]], 400, fixer).turns.filter(({ yours }) => yours);
  assert.deepEqual(won, []);
});

test("a panel is drawn, votes and shows its votes, each member as long as it has not", () => {
  const asked = [...begun, [300, judged], [400, appealed]] as const;
  assert.match(storyOf(asked, 500, fixer).next, /^You can draw the panel of fix 0\/4\/0 until/);
  const sitting = [...asked, [500, drawn]] as const;
  const committed = (member: Address): CampaignFact => ({ kind: "voteCommitted", place, member });
  const one = [...sitting, [600, committed(judge)]] as const;
  assert.match(storyOf(one, 700, second).next, /^You can vote on fix 0\/4\/0 .* 0\/4\/0 right --panel", or/);
  assert.match(storyOf(one, 700, judge).next, /^The panel can vote/);
  // Not all have voted in time: those that have can show it for another window.
  assert.match(storyOf(one, 1_200, judge).next, /^You can show its votes .* until 1970-01-01 00:28:20 UTC/);
  const all = [...one, [700, committed(second)], [800, committed(third)]] as const;
  const shown = [...all, [900, { kind: "voteRevealed", place, member: judge, right: false }]] as const;
  const { turns } = storyOf(shown, 1_000);
  assert.deepEqual(turns[0]!.accounts, [second, third]);
});

test("what can be taken and credited is everybody's to call, and theirs whom it pays", () => {
  const { turns, lines } = storyOf([...begun, [300, judged]], 4_000, author);
  assert.deepEqual(
    turns.map(({ does, yours }) => [does.split(",")[0], yours]),
    [
      ["add up to 5 rows", false],
      ["end fix 0/4/0", true],
      ["credit 4 rows of entry 0 to their author", true],
    ],
  );
  assert.match(lines[2]!, /^You can end fix 0\/4\/0: "ichain data take abababab"\. .* Until then its money/);
});

test("a campaign that is over says so, and one of many turns where the others are", () => {
  const ended: CampaignFact[] = [
    { kind: "taken", place },
    { kind: "refunded", entry: 0 },
  ];
  const facts = [
    ...begun,
    ...ended.map((fact) => [5_000, fact] as const),
    [5_001, { kind: "closed" }],
  ] as const;
  assert.deepEqual(storyOf(facts, 6_000, owner).lines.slice(1), [
    "It is closed, and holds no account's money any more.",
    "No party has to act. Nothing more can happen to its money.",
  ]);
  const rows = [0, 1, 2, 3].flatMap((row) =>
    [0, 1, 2].map((fix) => [200, { ...fixed, place: { entry: 0, row, fix } }] as const),
  );
  const { lines, turns } = storyOf([[0, opened], [100, added], ...rows], 300, owner);
  assert.equal(turns.length, 14);
  assert.equal(lines.at(-1), '2 more: "ichain data show abababab" has every entry and fix.');
});

test("prints what its schema says", async () => {
  const campaign = foldCampaign(begun.map(([at, fact], block): CampaignEvent => ({ ...fact, at, block })))!;
  const market = {
    campaign: async () => campaign,
    now: async () => 300,
    token: async () => COIN,
    owedCampaigns: async () => 7n,
  } as unknown as MarketReader;
  let printed = "";
  const ui = {
    print: (data: unknown, render?: () => string) => {
      printed = toJson(data);
      assert.match(render!(), /coin are owed to you: "ichain wallet withdraw"\.$/);
    },
  };
  const context = { ui, config: {}, signal: AbortSignal.abort() } as unknown as CommandContext;
  await explainCampaign(context, { market, account: author }, id);
  const { owed, turns } = dataOutputs.why.parse(JSON.parse(printed));
  assert.equal(owed, 7n);
  assert.equal(turns[0]!.accounts[0], owner);
});

test("an id is a job's or a campaign's, and one of several kinds is refused", async () => {
  const job = `0x${"ab1".padEnd(64, "0")}` as Hex;
  const resolver =
    (ids: readonly Hex[], code: "JOB_UNKNOWN" | "CAMPAIGN_UNKNOWN") => async (prefix: string) => {
      const found = ids.find((one) => one.startsWith(`0x${prefix}`));
      if (found === undefined) throw new IchainError(code, "none");
      return found;
    };
  const market = {
    resolveJob: resolver([job], "JOB_UNKNOWN"),
    resolveFederatedJob: resolver([], "JOB_UNKNOWN"),
    resolveCampaign: resolver([id], "CAMPAIGN_UNKNOWN"),
  };
  assert.deepEqual(await subjectOf(market, "ab1", {}), { kind: "job", id: job });
  assert.deepEqual(await subjectOf(market, "aba", {}), { kind: "campaign", id });
  await assert.rejects(subjectOf(market, "ab", {}), { code: "JOB_AMBIGUOUS" });
  await assert.rejects(subjectOf(market, "cd", {}), { code: "JOB_UNKNOWN" });
});
