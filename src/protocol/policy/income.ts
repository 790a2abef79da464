import { type Address, sameAddress } from "../ids.ts";
import type { Cause } from "../job/events.ts";
import { type Job, seatOf, type Validation } from "../job/job.ts";
import { isFinal } from "../job/state.ts";
import { shareOf } from "../job/terms.ts";
import { voteOf } from "../task/judgement.ts";

/** What a job that is over brought one that worked on it, by the rules of `EscrowPanel.sol`. */
export interface Income {
  readonly role: "provider" | "validator";
  /** In the job's token: share of the price, fees, less what an appeal cost. */
  readonly paid: bigint;
  /** Stake that was taken, wei. */
  readonly slashed: bigint;
}

/** A seat's vote; `unheard`: paid though it was never compared; `left`: it stood down or was dismissed. */
type SeatEnd = "pass" | "fail" | "unmet" | "unheard" | "hid" | "left";

const slashing: ReadonlySet<Cause | undefined> = new Set(["runMissed", "claimMissed", "rejected", "hid"]);

/** Undefined while the job is under way, and for an account that did not work on it. */
export function incomeOf(job: Job, account: Address): Income | undefined {
  if (!isFinal(job.state)) return undefined;
  if (sameAddress(job.terms.provider, account)) return providersIncome(job);
  const seat = seatOf(job, account);
  if (seat === undefined) return undefined;
  const end = endOf(job, seat);
  const { validatorFee, validatorStake } = job.terms;
  if (end === "left") return { role: "validator", paid: 0n, slashed: 0n };
  return isWrong(job, seat, end)
    ? { role: "validator", paid: 0n, slashed: validatorStake }
    : { role: "validator", paid: validatorFee, slashed: 0n };
}

function providersIncome(job: Job): Income {
  const { terms, cause, validations } = job;
  let paid = shareOfPrice(job);
  for (const seat of validations) {
    const end = endOf(job, seat);
    const wrong = end !== "left" && isWrong(job, seat, end);
    const ofAppeal = seat.round === "appeal";
    // The bond of an appeal pays its panel; what is left of it comes back.
    if (ofAppeal && end !== "left" && !wrong) paid -= terms.validatorFee;
    // A fee that was lost for a vote too hard on the provider is the provider's; of an appeal's it was its own.
    const hard = end === "fail" || (end === "unmet" && job.state === "Settled");
    if (wrong && hard && !ofAppeal) paid += terms.validatorFee;
  }
  return { role: "provider", paid, slashed: slashing.has(cause) ? terms.providerStake : 0n };
}

function shareOfPrice({ state, cause, paid = 0n, terms: { price, effort } }: Job): bigint {
  if (state === "Settled") return price;
  if (cause === "unmet") return shareOf(price, effort);
  return cause === "stopped" ? paid : 0n;
}

/** Whether the seat loses its stake: it hid, or a later round contradicts it. */
function isWrong(job: Job, { round }: Validation, end: SeatEnd): boolean {
  if (end === "hid") return true;
  if (round === job.round || end === "unheard") return false;
  const found = finding(job);
  return found !== undefined && end !== found;
}

/** What the last round found. */
function finding({ state, verdict, cause }: Job): "pass" | "fail" | "unmet" | undefined {
  if (state === "Settled") return verdict === "pass" ? "pass" : undefined;
  if (cause === "rejected") return "fail";
  return cause === "unmet" ? "unmet" : undefined;
}

function endOf(job: Job, seat: Validation): SeatEnd {
  if (seat.abstained || seat.commitment === undefined) return "left";
  if (seat.measurement === undefined) return isDrawless(job) && seat.round === job.round ? "unheard" : "hid";
  if (job.providerMeasurement === undefined) return "unheard";
  return voteOf(job.terms, seat.measurement, job.providerMeasurement);
}

/** A provider that hid without any reveal kept back its seed: its panel was never complete, and is paid. */
function isDrawless({ cause, round, validations }: Job): boolean {
  return (
    cause === "hid" && !validations.some((seat) => seat.round === round && seat.measurement !== undefined)
  );
}
