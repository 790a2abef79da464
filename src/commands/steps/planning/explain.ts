import { ZERO_ADDRESS } from "../../../protocol/ids.ts";
import type { Offer } from "../../../protocol/offer.ts";
import { standing } from "../../../protocol/policy/match.ts";
import type { JobFile } from "../../../protocol/task/spec.ts";
import { findCandidates } from "../../../roles/job/requester/posting/plan.ts";
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
    const { providers, unfit, priceOf, pay } = await findCandidates(market, file, account, { signal });
    const told = (offer: Offer, price: bigint | null, why: string | null) => {
      const { count, sum, outcomes } = offer.ratingAsProvider;
      const { settled, released, late, rejected, hid } = outcomes;
      return {
        account: offer.account,
        standing: standing(offer.ratingAsProvider),
        ratings: count,
        mean: count === 0 ? null : sum / count,
        jobs: { settled, released, late, rejected, hid },
        price,
        why,
      };
    };
    const data = {
      token: pay.token,
      providers: [
        ...providers.map((offer) => told(offer, priceOf(offer), null)),
        ...unfit.map(({ offer, why }) => told(offer, null, why)),
      ],
    };
    const row = ({ account, standing: rank, ratings, mean, jobs, price, why }: ReturnType<typeof told>) => [
      account,
      rank.toFixed(2),
      mean === null ? "none" : `${mean.toFixed(2)} of ${ratings}`,
      `${jobs.settled} / ${jobs.released} / ${jobs.late + jobs.rejected + jobs.hid}`,
      price === null ? "" : money(price, pay.token),
      why ?? "",
    ];
    ui.print(data, () =>
      [
        ui.table(
          ["PROVIDER", "STANDING", "RATING", "DONE / GIVEN BACK / AT FAULT", "PRICE", "CANNOT, BECAUSE IT"],
          data.providers.map(row),
        ),
        "",
        "The first is asked first. Standing is the mean rating, with two ratings of 3 added, less the share of jobs that",
        "ended by the provider's fault; among equals the cheapest is first. Nothing was packed or posted.",
      ].join("\n"),
    );
  });
}
