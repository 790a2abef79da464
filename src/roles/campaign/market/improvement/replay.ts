import { readFile } from "node:fs/promises";
import type { Abortable } from "../../../../async/abort.ts";
import { IchainError } from "../../../../errors/error.ts";
import { fromHex } from "../../../../protocol/bytes.ts";
import type { Campaign } from "../../../../protocol/campaign/campaign.ts";
import { sliceDigest } from "../../../../protocol/campaign/exam.ts";
import type { Improvement } from "../../../../protocol/campaign/improvement/market.ts";
import { emptyModel, replaySpecOf, rowReader } from "../../../../protocol/campaign/improvement/spec.ts";
import {
  type MarketPayout,
  payoutsRoot,
  replayMarket,
} from "../../../../protocol/campaign/models/improvement.ts";
import { decodeRows, MAX_ROWS_BYTES } from "../../../../protocol/campaign/rows.ts";
import { type Hex, shortId } from "../../../../protocol/ids.ts";
import { decodeLocator, rowsGuestKey } from "../../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../../context.ts";
import { campaignFiles, keepFile } from "../files.ts";
import { currentRows, rowsOf } from "../rows.ts";
import { settleCampaign } from "../settle.ts";

/** What a market comes to. */
export interface Payouts {
  readonly payouts: readonly MarketPayout[];
  readonly root: Hex;
}

/**
 * The market of a campaign.
 * @throws IMPROVEMENT_NONE
 */
export function improvementOf({ id, improvement }: Campaign): Improvement {
  if (improvement !== undefined) return improvement;
  throw new IchainError("IMPROVEMENT_NONE", `Campaign ${shortId(id)} has no improvement market.`);
}

/**
 * Replays a market by what its campaign came to: takes first what is due there, so that no row is open any more, then
 * fetches the rows of all entries with stakes and the test set.
 * @throws IMPROVEMENT_SPEC_UNKNOWN, and as `rowsOf` where an author or the owner does not show its rows
 */
export async function replayImprovement(context: RoleContext, id: Hex, options: Abortable): Promise<Payouts> {
  await settleCampaign(context, id, () => true, options);
  const campaign = await context.market.campaign(id, options);
  const { owner, offer, stakes } = improvementOf(campaign);
  const spec = replaySpecOf(offer.spec);
  if (spec === undefined)
    throw new IchainError("IMPROVEMENT_SPEC_UNKNOWN", `The market is to be replayed by ${offer.spec}.`);
  const read = rowReader(spec);
  const first = read(await shownRows(context, campaign, campaign.firstSlice, options));
  const tests: typeof first = [];
  for (const { slice } of campaign.slices.toSorted((a, b) => a.slice - b.slice)) {
    if (slice !== campaign.firstSlice)
      tests.push(...read(await shownRows(context, campaign, slice, options)));
  }
  const entries = [];
  for (const { entry, author, amount } of stakes.toSorted((a, b) => a.entry - b.entry)) {
    const rows = currentRows(campaign, entry, await rowsOf(context, campaign, entry, options));
    entries.push({ entry, author, stake: amount, rows: read(rows.map(({ text }) => text)) });
  }
  const start = () => {
    const model = emptyModel(spec);
    for (const { words, label } of first) model.update(words, label);
    return model;
  };
  const { bounty, leastStake } = offer;
  const payouts = replayMarket({ owner, bounty, leastStake, entries, tests, start });
  return { payouts, root: payoutsRoot(payouts) };
}

/** The rows of a slice that was shown: of this home where it showed them itself, or fetched from its owner's. */
async function shownRows(
  { transport, jobsDir }: RoleContext,
  campaign: Campaign,
  wanted: number | undefined,
  options: Abortable,
): Promise<string[]> {
  const found = campaign.slices.find(({ slice }) => slice === wanted);
  if (found === undefined) throw strange(wanted, "it is not shown");
  const { rows: host, rowsRoot: root, rowsBytes } = decodeLocator(fromHex(found.locator), "rows");
  if (rowsBytes > MAX_ROWS_BYTES) throw strange(wanted, "its rows take more than 64 MiB");
  const files = campaignFiles(jobsDir, campaign.id);
  const own = await readFile(files.own(root)).catch(() => undefined);
  if (own === undefined) {
    const endpoint = { ...host, guestKey: rowsGuestKey(host) };
    await keepFile(`${files.slice(found.slice)}.note`, "");
    await transport.fetch(
      { endpoint, root, path: files.slice(found.slice), maxBytes: MAX_ROWS_BYTES, size: rowsBytes },
      options,
    );
  }
  const rows = decodeRows(own ?? (await readFile(files.slice(found.slice))));
  if (sliceDigest(rows) !== found.digest) throw strange(wanted, "its rows are not those that were shown");
  return rows;
}

function strange(slice: number | undefined, why: string): IchainError {
  return new IchainError("CAMPAIGN_ROWS_STRANGE", `Slice ${slice} of the test set cannot be used: ${why}.`);
}
