import { coinText, type TokenInfo } from "../../../protocol/amounts.ts";
import { ZERO_ADDRESS } from "../../../protocol/ids.ts";
import type { Offer } from "../../../protocol/offer.ts";
import { standingNumber, weighedPrice } from "../../../protocol/record.ts";
import type { JobFile } from "../../../protocol/task/spec.ts";
import { findCandidates } from "../../../roles/job/requester/posting/plan.ts";
import type { RankedRecord } from "../../../roles/job/requester/posting/rank.ts";
import { money } from "../../../ui/format.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { withReader } from "../reader.ts";

/**
 * Prints how `submit` ranks the providers of a job, the best first, and why the others cannot have it. Asks for no
 * password and posts nothing.
 * @throws NO_PROVIDER
 */
export async function printExplanation(context: CommandContext, file: JobFile): Promise<void> {
  const { ui, signal } = context;
  await withReader(context, async ({ market, account = ZERO_ADDRESS }) => {
    const { ranked, unfit, pay } = await findCandidates(market, file, account, { signal });
    const data = {
      token: pay.token,
      providers: [
        ...ranked.map((one) => ({ ...toldRecord(one), ...toldOffer(one.offer), why: null })),
        ...unfit.map(({ offer, why }) => ({ ...nothingTold, ...toldOffer(offer), why })),
      ],
    };
    ui.print(data, () =>
      [
        ...data.providers.flatMap((told, i) => providerText(told, i + 1, pay.token)),
        "",
        "The lowest weighed price is asked first: the price, and half of it times 1 less the standing. For a provider speaks",
        "the price of your own jobs with it, and of the jobs of others an eighth of their gas, which is what made-up jobs",
        "cost too, half as much for each further job of one requester. Against it speaks the price of each job that it failed",
        "or that was rated 1, half at 2; 4 and 5 add nothing. Standing is the one less the other, over both and the price of",
        "this job: 0 without a record, 1 at most. Among equals the stronger isolation is first. Nothing was packed or posted.",
      ].join("\n"),
    );
  });
}

type Told = (ReturnType<typeof toldRecord> | typeof nothingTold) &
  ReturnType<typeof toldOffer> & { readonly why: string | null };

function providerText(told: Told, place: number, token: TokenInfo): string[] {
  const { account, price, weighed, standing, paid, tier, jobs, mean, ratings, why } = told;
  const rating = mean === null ? "not rated" : `rated ${mean.toFixed(2)} of 5 by ${ratings}`;
  const record = `${jobs.settled} settled, ${jobs.released} given back, ${jobs.late + jobs.rejected + jobs.hid} at fault; ${rating}`;
  if (price === null) return [`-  ${account} cannot: it ${why}`, `   ${record}`];
  return [
    `${place}. ${account} for ${money(price, token)}, weighed ${money(weighed, token)}; isolation ${tier}`,
    `   standing ${standing.toFixed(2)}: ${shortCoin(paid.for)} coin for it, ${shortCoin(paid.against)} against; ${record}`,
  ];
}

function toldOffer({ account, ratingAsProvider, details }: Offer) {
  const { count, sum, outcomes } = ratingAsProvider;
  const { settled, released, late, rejected, hid } = outcomes;
  return {
    account,
    tier: details.tier,
    ratings: count,
    mean: count === 0 ? null : sum / count,
    jobs: { settled, released, late, rejected, hid },
  };
}

function toldRecord({ price, standing, record }: RankedRecord) {
  const { good, bad, requesters } = record;
  return {
    standing: standingNumber(standing),
    paid: { for: good, against: bad, requesters },
    price,
    weighed: weighedPrice({ price, standing }),
  };
}

const nothingTold = { standing: null, paid: null, price: null, weighed: null };

/** Cut to a millionth of a coin: what gas comes to has many digits. */
function shortCoin(wei: bigint): string {
  const unit = 10n ** 12n;
  return coinText((wei / unit) * unit);
}
