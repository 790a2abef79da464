import type { FederatedEvent } from "./federated/market/events.ts";
import type { FederatedTerms } from "./federated/market/terms.ts";
import { type Address, sameAddress, ZERO_ADDRESS } from "./ids.ts";
import type { Cause } from "./job/events.ts";
import type { Job } from "./job/job.ts";
import type { Offer, Rating } from "./offer.ts";
import { tiers } from "./offer.ts";

/** An ended job as it counts in its provider's record. */
export interface PastJob {
  readonly requester: Address;
  /** Its price, wei; of one in a token the provider's stake. Of a federated one what its rounds paid. */
  readonly value: bigint;
  readonly validators: number;
  /** Its other calls are shared by many providers: those of this one alone have left its pocket. */
  readonly federated?: true | undefined;
  /** Paid for, or ended by the provider's fault. */
  readonly ended: "settled" | "fault";
  /** Given to the provider by the requester, 1 to 5. */
  readonly score: number | undefined;
}

/** What speaks for a provider, and what against it, wei. */
export interface PaidRecord {
  readonly good: bigint;
  readonly bad: bigint;
  /** Settled jobs among those read, and their requesters. */
  readonly jobs: number;
  readonly requesters: number;
}

/** Who asks. */
export interface Asker {
  readonly requester: Address;
  /** Wei that a transaction sent now offers for a unit of gas, at most: about twice what it pays. */
  readonly gasPrice: bigint;
}

/** Settled jobs of one provider that count, the newest, and as many that failed. */
export const RECORD_JOBS = 64;

/** The part of a job's gas that counts. */
const EIGHTH = 8n;

/** Standings are in parts of this. */
export const STANDING_UNIT = 1_000_000_000n;

/**
 * Gas that all parties of a job pay at least, rounded down, without ratings; a test compares it with
 * `test/contracts/gas.snapshot.json`.
 */
export const leastGas = {
  ...{ optimistic: 245_000, validated: 310_000, validator: 88_000 },
  /** Of one provider of a federated job: to enlist, and its part of a claim for many. */
  federated: 95_000,
} as const;

const faults: ReadonlySet<Cause | undefined> = new Set(["runMissed", "claimMissed", "rejected", "hid"]);

/** Undefined for a job that says nothing of its provider: one under way, cancelled, given back, stopped, without verdict. */
export function pastJobOf({ state, cause, terms, providerScore }: Job): PastJob | undefined {
  const fault = state === "Refunded" && faults.has(cause);
  if (state !== "Settled" && !fault) return undefined;
  const { requester, token, price, providerStake, validators } = terms;
  const value = token === ZERO_ADDRESS ? price : providerStake;
  return { requester, value, validators, ended: fault ? "fault" : "settled", score: providerScore };
}

/**
 * What a federated job says of one of its providers: what its rounds paid, or that its stake was slashed for a strike, which
 * counts as a fault of that stake. Undefined where neither is there. `events` are those of the job, in the chain's order;
 * others than payments, slashings and ratings are passed over.
 */
export function pastRoundsOf(
  { requester, token, providerStake }: FederatedTerms,
  events: readonly FederatedEvent[],
  provider: Address,
): PastJob | undefined {
  let [paid, slashed, score] = [0n, false, undefined as number | undefined];
  for (const event of events) {
    if (event.kind === "claimed" && sameAddress(event.account, provider)) paid += event.amount;
    if (event.kind === "stakeReleased" && sameAddress(event.account, provider)) slashed = event.slashed;
    if (event.kind === "rated" && sameAddress(event.rater, requester) && sameAddress(event.subject, provider))
      score = event.score;
  }
  const whose = { requester, validators: 0, federated: true, score } as const;
  if (slashed) return { ...whose, value: providerStake, ended: "fault" };
  if (paid === 0n) return undefined;
  return { ...whose, value: token === ZERO_ADDRESS ? paid : providerStake, ended: "settled" };
}

/**
 * Weighs a provider's jobs by what it would cost to make them up. Of a settled job only the gas of its calls is sure to
 * have left its parties: requester, provider and validators may have one owner. An eighth of that gas counts, so that
 * making jobs up costs more than it brings (ADR 37), and half as much for each further job of one requester. The asker's
 * own jobs count for their whole price. Nobody makes up what speaks against its own account: a fault, and a
 * score of 1, count for the price, a score of 2 for half of it, and 3 for nothing.
 */
export function recordOf(past: readonly PastJob[], { requester: asker, gasPrice }: Asker): PaidRecord {
  const gasOf = new Map<string, bigint[]>();
  let [good, bad, jobs] = [0n, 0n, 0];
  for (const job of past) {
    bad += against(job);
    if (job.ended !== "settled") continue;
    jobs += 1;
    const name = job.requester.toLowerCase();
    const weights = gasOf.get(name) ?? [];
    gasOf.set(name, weights);
    if ((job.score ?? 5) < 4) continue;
    if (sameAddress(job.requester, asker)) good += job.value;
    else weights.push(least(job.value, (BigInt(gasOfAll(job)) * gasPrice) / (2n * EIGHTH)));
  }
  for (const weights of gasOf.values()) good += halved(weights);
  return { good, bad, jobs, requesters: gasOf.size };
}

/**
 * What speaks for the provider less what speaks against it, over both and the price of the job at issue, wei: between
 * -1 and 1 `STANDING_UNIT`, and 0 for an account without a record. For a spotless one it is the lower bound of
 * Wilson's interval with z = 1, where the unit of evidence is that price. What costs c adds c / price at most.
 */
export function standingOf({ good, bad }: Pick<PaidRecord, "good" | "bad">, price: bigint): bigint {
  return ((good - bad) * STANDING_UNIT) / (good + bad + (price > 0n ? price : 1n));
}

/** Of whom seats are paid, wei. */
export interface SeatPrice {
  readonly fee: bigint;
  /** As `Asker` has it. */
  readonly gasPrice: bigint;
}

/**
 * A validator's standing, by the same rule, from the counters of the registry, which have neither values nor requesters:
 * each seat that it kept, of the newest 64, counts an eighth of its gas, each that it lost by its own fault the fee, and
 * ratings that are below 3 in the mean half a fee for each point.
 */
export function seatStandingOf({ count, sum, outcomes }: Rating, { fee, gasPrice }: SeatPrice): bigint {
  const gas = (BigInt(leastGas.validator) * gasPrice) / (2n * EIGHTH);
  const good = BigInt(Math.min(outcomes.settled, RECORD_JOBS)) * least(fee, gas);
  const faults = BigInt(outcomes.late + outcomes.rejected + outcomes.hid);
  const bad = faults * fee + (BigInt(Math.max(0, 3 * count - sum)) * fee) / 2n;
  return standingOf({ good, bad }, fee);
}

/** A standing as a number from -1 to 1. */
export function standingNumber(standing: bigint): number {
  return Number(standing) / Number(STANDING_UNIT);
}

/** A provider with what decides its place. */
export interface Ranked {
  readonly offer: Offer;
  /** Of the job by this provider, smallest unit of what pays it. */
  readonly price: bigint;
  readonly standing: bigint;
}

/**
 * Its price, and up to half as much for what its record leaves open: an account without a record counts as one and a
 * half times its price, one with much for it and nothing against it as little more than its price, and the worst as
 * twice its price.
 */
export function weighedPrice({ price, standing }: Pick<Ranked, "price" | "standing">): bigint {
  return (price * (3n * STANDING_UNIT - standing)) / (2n * STANDING_UNIT);
}

/** Lowest weighed price first, then the better standing, the stronger isolation, and by account so that the order is stable. */
export function byWeighedPrice(a: Ranked, b: Ranked): number {
  const tier = ({ offer }: Ranked) => BigInt(tiers.indexOf(offer.details.tier));
  return (
    ascending(weighedPrice(a), weighedPrice(b)) ||
    ascending(b.standing, a.standing) ||
    ascending(tier(b), tier(a)) ||
    (a.offer.account < b.offer.account ? -1 : 1)
  );
}

/** The lower of both middle prices where there are two; 0 of none. */
export function medianPrice(prices: readonly bigint[]): bigint {
  return prices.toSorted(ascending)[Math.floor((prices.length - 1) / 2)] ?? 0n;
}

function against({ ended, score, value }: PastJob): bigint {
  if (ended === "fault" || score === 1) return value;
  return score === 2 ? value / 2n : 0n;
}

function gasOfAll({ validators, federated }: PastJob): number {
  if (federated) return leastGas.federated;
  return validators === 0 ? leastGas.optimistic : leastGas.validated + validators * leastGas.validator;
}

/** The largest in full, the next by half, and so on: an order that nobody can choose. */
function halved(weights: readonly bigint[]): bigint {
  return weights
    .toSorted((a, b) => ascending(b, a))
    .reduce((sum, weight, i) => sum + (weight >> BigInt(i)), 0n);
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const ascending = (a: bigint, b: bigint): number => (a === b ? 0 : a < b ? -1 : 1);
