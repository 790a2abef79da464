/**
 * The money of every ending of a job, as `contracts/escrow/EscrowPanel.sol` moves it; held against the contract by
 * `test/contracts/incentives.test.ts`. Amounts in the smallest unit; price, fees and stakes are one coin here.
 */

/** Validators that a challenge or an appeal draws. */
export const PANEL = 3;
/** Shares of the price are parts of this. */
export const WHOLE = 10_000;
const COMPENSATION_PERCENT = 10n;

export interface Terms {
  readonly price: bigint;
  readonly validatorFee: bigint;
  readonly providerStake: bigint;
  readonly validatorStake: bigint;
  readonly validators: number;
  /** Of the price, in 1/10,000, for work that is confirmed and short of the threshold. */
  readonly effort: number;
}

export type Round = "first" | "challenge" | "appeal";

/**
 * What became of a validator: its vote (`unmet`, the same as the provider and short of the threshold); `unheard`, revealed though never compared, or committed while a draw was
 * never made; `hid`, committed and not revealed; `left`, stood down or was dismissed.
 */
export type SeatEnd = "pass" | "fail" | "unmet" | "unheard" | "hid" | "left";

export interface Seat<Party extends string> {
  readonly who: Party;
  readonly round: Round;
  readonly end: SeatEnd;
}

export type Cause =
  | "released"
  | "runMissed"
  | "claimMissed"
  | "rejected"
  | "hid"
  | "inconclusive"
  | "unmet"
  | "stopped";

export interface Ending<Party extends string> {
  readonly state: "cancelled" | "settled" | Cause;
  /** The last round that there was. */
  readonly round: Round;
  /** The last round's seats had a majority that passed the result. */
  readonly passed: boolean;
  readonly seats: readonly Seat<Party>[];
  readonly challenged: boolean;
  readonly appealed: boolean;
  /** The requester appointed validators. */
  readonly named: boolean;
  /** What the provider gets of a job that is stopped. */
  readonly paid?: bigint;
}

export const appealBondOf = ({ validatorFee }: Terms): bigint => BigInt(PANEL) * validatorFee;
const depositOf = ({ price }: Terms): bigint => price / 2n;
export const challengeBondOf = (terms: Terms): bigint => appealBondOf(terms) + depositOf(terms);

/** What each party has more (or less) at the end than before the job; they add up to minus `burnt`. */
export interface Money<Party extends string> {
  readonly delta: ReadonlyMap<Party | "requester" | "provider", bigint>;
  readonly burnt: bigint;
}

export function moneyOf<Party extends string>(terms: Terms, ending: Ending<Party>): Money<Party> {
  const delta = new Map<Party | "requester" | "provider", bigint>();
  const add = (who: Party | "requester" | "provider", amount: bigint) =>
    delta.set(who, (delta.get(who) ?? 0n) + amount);
  const { price, validatorFee, validatorStake, providerStake } = terms;
  const bond = appealBondOf(terms);
  const deposit = ending.challenged ? depositOf(terms) : 0n;
  const settled = ending.state === "settled";
  let requesters = BigInt(terms.validators) * validatorFee + (ending.challenged ? bond : 0n);
  let providers = ending.appealed ? bond : 0n;
  let forfeited = 0n;
  let burnt = 0n;
  add("requester", -price - requesters - deposit);
  add("provider", -providers);

  const overruled = overruledVotes(ending);
  for (const { who, round, end } of ending.seats) {
    if (end === "left") continue;
    const wrong = round !== ending.round && overruled.includes(end);
    if (end === "hid" || wrong) {
      add(who, -validatorStake);
      burnt += validatorStake;
      // A vote that was too mild loses its fee to whom it came from.
      if (end !== "fail" && (end !== "unmet" || !settled)) continue;
      // The provider gets the fee; of an appeal's it was its own.
      if (round === "appeal") continue;
      requesters -= validatorFee;
      forfeited += validatorFee;
      continue;
    }
    if (round === "appeal") providers -= validatorFee;
    else requesters -= validatorFee;
    add(who, validatorFee);
  }

  const lost = settled && ending.passed ? deposit : 0n;
  burnt += lost;
  const earned = earnedOf(terms, ending);
  add("requester", requesters + deposit - lost + price - earned);
  add("provider", providers + forfeited + earned);
  if (!isSlashed(ending)) return { delta, burnt };
  const named = ending.state === "rejected" && ending.named;
  const compensation = named ? 0n : (providerStake * COMPENSATION_PERCENT) / 100n;
  add("provider", -providerStake);
  add("requester", compensation);
  return { delta, burnt: burnt + providerStake - compensation };
}

/** What the provider gets of the price. */
function earnedOf({ price, effort }: Terms, { state, paid = 0n }: Ending<string>): bigint {
  if (state === "settled") return price;
  if (state === "unmet") return (price * BigInt(effort)) / BigInt(WHOLE);
  return state === "stopped" ? paid : 0n;
}

/** The votes that cost their validators the stake when a later round contradicts them. */
function overruledVotes({ state, passed }: Ending<string>): readonly SeatEnd[] {
  if (state === "settled") return passed ? ["fail", "unmet"] : [];
  if (state === "rejected") return ["pass", "unmet"];
  return state === "unmet" ? ["pass", "fail"] : [];
}

function isSlashed({ state }: Ending<string>): boolean {
  return state === "runMissed" || state === "claimMissed" || state === "rejected" || state === "hid";
}
