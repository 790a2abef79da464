import { coinText } from "../../../protocol/amounts.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { lockedBy } from "../../../protocol/job/terms.ts";
import { neutraliseLine } from "../../../protocol/neutralise.ts";
import { standingNumber } from "../../../protocol/record.ts";
import type { RankedRecord } from "../../../roles/job/requester/posting/rank.ts";
import { bytes, coin, gpuText, money } from "../../../ui/format.ts";
import { route, type WebRoute } from "../../../web/endpoint.ts";
import { rankedOffers } from "../../market/providers.ts";
import { meanScore, passes, sorted } from "../../steps/offers.ts";
import { story } from "../../steps/story.ts";
import { readTokens } from "../../steps/tokens.ts";
import { marketApi } from "../api/market.ts";
import { runCommand } from "../context.ts";
import type { PageContext } from "../page.ts";

/** Offers that are shown at once, and jobs of each pool. */
const PAGE = 50;
/** Ranking all offers takes a while: one ranking serves for so long, milliseconds. */
const FRESH_MS = 10_000;

/** The market: who offers what, and the pools of those who wait. */
export function marketRoutes(page: PageContext): readonly WebRoute[] {
  const { context, market, account, board } = page;
  /** The newest ranking that is done, and the one under way. */
  let done: { readonly at: number; readonly offers: readonly RankedRecord[] } | undefined;
  let under: Promise<readonly RankedRecord[]> | undefined;
  const rankAll = (): Promise<readonly RankedRecord[]> => {
    under ??= rankedOffers({ market, account }, {}, { signal: context.signal })
      .then((offers) => {
        done = { at: performance.now(), offers };
        return offers;
      })
      .finally(() => {
        under = undefined;
      });
    return under;
  };
  const offers = async (): Promise<readonly RankedRecord[]> => {
    if (done === undefined) return rankAll();
    // A list that is a little old is better than none.
    if (performance.now() - done.at > FRESH_MS) rankAll().catch(() => undefined);
    return done.offers;
  };
  return [
    route(marketApi.offers, async ({ sort, from, gpu, ...filter }) => {
      const found = (await offers()).filter(({ offer }) =>
        passes(offer, { ...filter, gpu: gpu !== undefined }),
      );
      const shown = sorted(found, sort).slice(from, from + PAGE);
      return { count: found.length, from, offers: shown.map(offerRow) };
    }),
    route(marketApi.prices, () => runCommand(context, "quote", { options: { market: true } })),
    route(marketApi.pools, async (_, options) => {
      const open = board.open();
      const now = await market.now(options);
      const states = [...new Set(open.map(({ state }) => state))];
      const pools = states.map((state) => {
        const among = open.filter((job) => job.state === state).toSorted(byDeadline);
        return { state, count: among.length, jobs: among.slice(0, PAGE) };
      });
      const paidIn = pools.flatMap(({ jobs }) => jobs.map(({ terms }) => terms.token));
      const tokens = await readTokens(context, market, paidIn, options);
      return {
        now,
        pools: pools.map(({ jobs, ...pool }) => ({
          ...pool,
          jobs: jobs.map((job) => {
            const { role, next } = story(job, now, account, tokens);
            const locked = money(lockedBy(job.terms), tokens(job.terms.token));
            return { jobId: job.id, deadline: job.deadline, role, waitsFor: next, locked };
          }),
        })),
      };
    }),
  ];
}

const byDeadline = (a: Job, b: Job): number =>
  (a.deadline ?? Number.POSITIVE_INFINITY) - (b.deadline ?? Number.POSITIVE_INFINITY);

function offerRow({ offer, standing, record }: RankedRecord) {
  const { account, details, ratingAsProvider, ratingAsValidator, priceFloor, stake, pooled } = offer;
  return {
    account,
    name: neutraliseLine(details.name),
    standing: standingNumber(standing),
    rating: meanScore(ratingAsProvider),
    ratings: ratingAsProvider.count,
    ratingAsValidator: meanScore(ratingAsValidator),
    settled: ratingAsProvider.outcomes.settled,
    requesters: record.requesters,
    hour: coinText(priceFloor),
    stake: coin(stake),
    ...{ validator: offer.validator, pooled },
    tier: details.tier,
    machine: [
      `${details.cpus} CPUs`,
      bytes(details.memoryBytes),
      ...details.gpus.map((gpu) => gpuText(gpu)),
    ].join(", "),
  };
}
