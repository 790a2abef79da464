import { randomInt } from "node:crypto";
import { IchainError } from "../../errors/error.ts";
import { type Address, sameAddress } from "../../protocol/ids.ts";
import { neutraliseLine } from "../../protocol/neutralise.ts";
import type { Offer, Rating } from "../../protocol/offer.ts";
import type { Audit } from "../../protocol/policy/audit.ts";
import { goodValidators } from "../../protocol/policy/match.ts";
import type { JobFile } from "../../protocol/task/spec.ts";
import { type Candidates, makePlan, type Plan, seatsOf } from "../../roles/job/requester/posting/plan.ts";
import { money } from "../../ui/format.ts";
import type { Ui } from "../../ui/ui.ts";

export interface PlanChoice {
  /** An account, or `best`; asked for when absent and somebody is there. */
  readonly provider?: string | undefined;
  readonly validator?: readonly string[] | undefined;
}

/** Settles on a provider and its validators: by flags, by asking, or by rating without a terminal. */
export async function choosePlan(
  ui: Ui,
  file: JobFile,
  candidates: Candidates,
  choice: PlanChoice,
  auditOf: (provider: Address) => Promise<Audit>,
): Promise<Plan> {
  const ask = ui.interactive;
  const { token } = candidates.pay;
  const price = (offer: Offer) => `${money(candidates.priceOf(offer), token)} for the job`;
  const fee = (offer: Offer) => `${money(candidates.feeOf(offer), token)} for a validation`;
  const provider = await pick(ui, {
    wanted: choice.provider ?? (ask ? undefined : "best"),
    among: candidates.providers,
    question: "Provider:",
    describe: (offer) => describe(offer, offer.ratingAsProvider, price(offer)),
  });
  const audit = await auditOf(provider.account);
  const seats = seatsOf(file, audit);
  const fit = candidates.validatorsFor(provider);
  let left = fit;
  const validators: Offer[] = [];
  for (let seat = 0; seat < seats && left.length > 0; seat += 1) {
    const validator = await pick(ui, {
      wanted: choice.validator?.[seat] ?? (ask && !choice.validator ? undefined : "best"),
      among: left,
      best: () => anyOf(goodValidators(left)),
      question: seats === 1 ? "Validator:" : `Validator ${seat + 1}:`,
      describe: (offer) => describe(offer, offer.ratingAsValidator, fee(offer)),
    });
    validators.push(validator);
    left = left.filter((offer) => offer !== validator);
  }
  return makePlan(file, candidates, { provider, validators, fit, audit });
}

interface Question {
  readonly wanted: string | undefined;
  /** Best first. */
  readonly among: readonly Offer[];
  /** What `best` means; the first when absent. */
  readonly best?: () => Offer | undefined;
  readonly question: string;
  describe(offer: Offer): string;
}

async function pick(
  ui: Ui,
  { wanted, among, best = () => among[0], question, describe }: Question,
): Promise<Offer> {
  if (wanted === undefined) {
    return ui.prompts.select(
      question,
      among.map((offer) => ({ name: describe(offer), value: offer })),
    );
  }
  const found = wanted === "best" ? best() : among.find(({ account }) => sameAddress(account, wanted));
  if (found) return found;
  throw new IchainError("PARTY_UNFIT", `${wanted} is not among those who can do this job.`);
}

/** By chance, so that a provider cannot foresee who will validate it, and be that validator too. */
function anyOf(offers: readonly Offer[]): Offer | undefined {
  return offers[randomInt(Math.max(1, offers.length))];
}

function describe({ account, details }: Offer, rating: Rating, price: string): string {
  const score =
    rating.count === 0 ? "not rated yet" : `${(rating.sum / rating.count).toFixed(1)} of 5 (${rating.count})`;
  const { settled, late, rejected, hid } = rating.outcomes;
  const record = `${settled} settled, ${late + rejected + hid} failed`;
  return `${account.slice(0, 10)}… ${neutraliseLine(details.name)}  ${score}  ${record}  ${details.tier}  ${price}`;
}
