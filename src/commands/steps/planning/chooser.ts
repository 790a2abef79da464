import { IchainError } from "../../../errors/error.ts";
import { sameAddress } from "../../../protocol/ids.ts";
import { neutraliseLine } from "../../../protocol/neutralise.ts";
import type { Offer, Rating } from "../../../protocol/offer.ts";
import { standingNumber } from "../../../protocol/record.ts";
import { bestOf, type Chooser } from "../../../roles/job/requester/posting/choose.ts";
import type { Candidates } from "../../../roles/job/requester/posting/plan.ts";
import { money } from "../../../ui/format.ts";
import type { Ui } from "../../../ui/ui.ts";

export interface PlanChoice {
  /** An account, or `best`; asked for when absent and somebody is there. */
  readonly provider?: string | undefined;
  readonly validator?: readonly string[] | undefined;
}

/** Picks the parties by flags, by asking, or by rating without a terminal. */
export function chooserOf(ui: Ui, candidates: Candidates, choice: PlanChoice): Chooser {
  const ask = ui.interactive;
  const best = bestOf(candidates);
  const { token } = candidates.pay;
  const price = (offer: Offer) => `${money(candidates.priceOf(offer), token)} for the job`;
  const fee = (offer: Offer) => `${money(candidates.feeOf(offer), token)} for a validation`;
  return {
    provider: (among) =>
      pick(ui, {
        wanted: choice.provider ?? (ask ? undefined : "best"),
        among,
        best: best.provider,
        question: "Provider:",
        describe: (offer) =>
          `${describe(offer, offer.ratingAsProvider, price(offer))}  standing ${standing(candidates, offer).toFixed(2)}`,
      }),
    validator: (among, seat, seats) =>
      pick(ui, {
        wanted: choice.validator?.[seat] ?? (ask && !choice.validator ? undefined : "best"),
        among,
        best: best.validator,
        question: seats === 1 ? "Validator:" : `Validator ${seat + 1}:`,
        describe: (offer) =>
          `${describe(offer, offer.ratingAsValidator, fee(offer))}  standing ${standingNumber(candidates.seatStanding(offer)).toFixed(2)}`,
      }),
  };
}

/** Of a provider among the candidates. */
export function standing({ ranked }: Pick<Candidates, "ranked">, provider: Offer): number {
  return standingNumber(ranked.find(({ offer }) => offer === provider)?.standing ?? 0n);
}

interface Question {
  readonly wanted: string | undefined;
  /** Best first. */
  readonly among: readonly Offer[];
  /** What `best` means. */
  best(among: readonly Offer[]): Offer;
  readonly question: string;
  describe(offer: Offer): string;
}

async function pick(ui: Ui, { wanted, among, best, question, describe }: Question): Promise<Offer> {
  if (wanted === undefined) {
    return ui.prompts.select(
      question,
      among.map((offer) => ({ name: describe(offer), value: offer })),
    );
  }
  const found = wanted === "best" ? best(among) : among.find(({ account }) => sameAddress(account, wanted));
  if (found) return found;
  throw new IchainError("PARTY_UNFIT", `${wanted} is not among those who can do this job.`);
}

function describe({ account, details }: Offer, rating: Rating, price: string): string {
  const score =
    rating.count === 0 ? "not rated yet" : `${(rating.sum / rating.count).toFixed(1)} of 5 (${rating.count})`;
  const { settled, late, rejected, hid } = rating.outcomes;
  const record = `${settled} settled, ${late + rejected + hid} failed`;
  return `${account.slice(0, 10)}… ${neutraliseLine(details.name)}  ${score}  ${record}  ${details.tier}  ${price}`;
}
