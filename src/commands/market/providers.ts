import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Abortable } from "../../async/abort.ts";
import { openRecords } from "../../compose.ts";
import type { MarketReader } from "../../ports/market.ts";
import { coinText } from "../../protocol/amounts.ts";
import { type Address, sameAddress, shortId, ZERO_ADDRESS } from "../../protocol/ids.ts";
import { type Benchmark, type Deviation, deviations } from "../../protocol/machine/benchmark.ts";
import { neutraliseLine } from "../../protocol/neutralise.ts";
import type { Offer } from "../../protocol/offer.ts";
import { standingNumber } from "../../protocol/record.ts";
import { type RankedRecord, rank } from "../../roles/job/requester/posting/rank.ts";
import { timedRuns } from "../../roles/job/requester/result/run-times.ts";
import type { TokenNames } from "../../roles/tokens.ts";
import { bytes, gpuText } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { meanScore, type OfferFilter, type OfferOrder, passes, sorted } from "../steps/offers.ts";
import { withReader } from "../steps/reader.ts";

/** Lists the market's providers, filtered and sorted. */
export async function run(
  context: CommandContext,
  _args: object,
  options: OfferFilter & { sort: OfferOrder },
): Promise<void> {
  const { ui, signal, config } = context;
  const names = config.network?.tokens ?? {};
  const timed = await runTimes(context);
  await withReader(context, async ({ market, account = ZERO_ADDRESS }) => {
    const offers = sorted(await rankedOffers({ market, account }, options, { signal }), options.sort);
    ui.print({ providers: offers.map((one) => toData(one, timed)) }, () =>
      offers.length === 0
        ? "No provider matches."
        : ui.table(
            [
              "ACCOUNT",
              "NAME",
              "STANDING",
              "RATING",
              "DONE",
              "COIN/H",
              "PAID IN",
              "CPUS",
              "MEMORY",
              "GPUS",
              "TIER",
              "SCORE",
              "TIME",
            ],
            offers.map((one) => toRow(one, names, timed)),
          ),
    );
  });
}

/** The offers that pass, each with its record as this account weighs it, at its price of an hour. */
export async function rankedOffers(
  { market, account }: { readonly market: MarketReader; readonly account: Address },
  filter: OfferFilter,
  { signal }: Abortable,
): Promise<readonly RankedRecord[]> {
  const found: Offer[] = [];
  for await (const offer of market.offers({ signal })) if (passes(offer, filter)) found.push(offer);
  const hour = (offer: Offer) => offer.priceFloor;
  return rank(market, found, { requester: account, priceOf: hour, wei: hour }, { signal });
}

type RunTimes = ReadonlyMap<string, Deviation>;

/** How the runs of this home's jobs compare with the scores on offer; nothing where there is no journal yet. */
async function runTimes(context: CommandContext): Promise<RunTimes> {
  const { home, paths } = context.config;
  if (!existsSync(paths.journal)) return new Map();
  const journal = await openRecords(context);
  try {
    return deviations(await timedRuns(journal, join(home, "jobs")));
  } finally {
    journal.close();
  }
}

function toData({ offer: { keys: _, ...offer }, standing, record }: RankedRecord, timed: RunTimes): object {
  const runTimes = timed.get(offer.account.toLowerCase());
  return {
    ...offer,
    ...(runTimes && { runTimes }),
    rating: meanScore(offer.ratingAsProvider),
    standing: standingNumber(standing),
    requesters: record.requesters,
  };
}

/** The offer's means of payment: tokens by their names in the network file, or the beginning of the address. */
function paidIn({ coin, tokens }: Offer["details"], names: TokenNames): string {
  const nameOf = (token: Address) =>
    Object.keys(names).find((name) => sameAddress(names[name]!, token)) ?? `0x${shortId(token)}`;
  return [...(coin ? ["coin"] : []), ...tokens.map(({ token }) => nameOf(token as Address))].join(", ");
}

/** One CPU's and one GPU's score, GFLOP/s. */
function scoreText(benchmark: Benchmark | undefined): string {
  if (benchmark === undefined) return "-";
  const { cpu, gpu } = benchmark;
  return gpu === undefined ? cpu.toFixed(1) : `${cpu.toFixed(1)}, GPU ${gpu.toFixed(0)}`;
}

function toRow(
  { offer: { account, details, ratingAsProvider, priceFloor }, standing }: RankedRecord,
  names: TokenNames,
  timed: RunTimes,
): string[] {
  const time = timed.get(account.toLowerCase());
  const mean = meanScore(ratingAsProvider);
  return [
    account,
    neutraliseLine(details.name),
    standingNumber(standing).toFixed(2),
    mean === undefined ? "new" : `${mean.toFixed(1)} (${ratingAsProvider.count})`,
    String(ratingAsProvider.outcomes.settled),
    coinText(priceFloor),
    paidIn(details, names),
    String(details.cpus),
    bytes(details.memoryBytes),
    details.gpus.map(gpuText).join(", ") || "-",
    details.tier,
    scoreText(details.benchmark),
    time === undefined ? "-" : `${time.factor.toFixed(1)}× (${time.runs})`,
  ];
}
