import assert from "node:assert/strict";
import { test } from "node:test";
import { drawCampaign } from "../../../src/commands/data/reading/show.ts";
import { COIN } from "../../../src/protocol/amounts.ts";
import { type Campaign, foldCampaign } from "../../../src/protocol/campaign/campaign.ts";
import type { CampaignEvent } from "../../../src/protocol/campaign/events.ts";
import { NO_ROW } from "../../../src/protocol/campaign/terms.ts";
import type { Version } from "../../../src/protocol/campaign/versions.ts";
import type { Address, Hex } from "../../../src/protocol/ids.ts";

const DAY = 86_400;
const id = `0x${"ab".repeat(32)}` as Hex;
const [owner, author] = [`0x${"11".repeat(20)}`, `0x${"22".repeat(20)}`] as [Address, Address];
const terms = {
  ...{ owner, token: COIN.address, rows: 10, capacity: 10, slices: 0, closesAt: 9 * DAY },
  ...{ deposit: 2n, price: 1n, reward: 0n, bond: 2n, fee: 0n, fixWindow: DAY, stepWindow: 600 },
  ...{ specHash: NO_ROW, examRoot: NO_ROW },
};
const added = (entry: number) => ({ entry, author, root: id, count: 2, locator: "0x" as const });
const events: CampaignEvent[] = [
  { kind: "opened", at: 0, block: 1, id, terms, description: "0x" },
  { kind: "added", at: DAY, block: 10, ...added(0) },
  { kind: "added", at: 3 * DAY, block: 30, ...added(1) },
];
const version = (number: number | undefined, block: number, score: bigint | undefined): Version => ({
  ...{ version: number, block, score, job: id, rowsDigest: id, rows: 2, without: [] },
  ...{ previous: undefined, state: "Settled", provider: owner },
});

/** The points of a curve, by its name. */
function curve(svg: string, name: string): string | undefined {
  return new RegExp(`points="([^"]*)"[^>]*/>\\n<text[^>]*>${name}<`).exec(svg)?.[1];
}

test("a campaign's plot has the score of each settled version where its rows were as they were trained on", () => {
  const campaign = foldCampaign(events) as Campaign;
  const sight = { now: 4 * DAY, account: undefined, token: COIN };
  const versions = [
    version(1, 15, 500_000_000n),
    version(undefined, 20, undefined),
    version(2, 31, 10n ** 9n),
  ];
  const svg = drawCampaign(campaign, sight, versions);
  assert.match(svg, /Score on the hidden test set, by version/);
  // From day 0 to 4 on 512 units of 72 on; 0 at 188, the best at 40.
  assert.equal(curve(svg, "model"), "200,114 456,40 584,40");
  assert.doesNotMatch(drawCampaign(campaign, sight, [version(1, 15, -1n)]), /Score/);
});
