import { randomBytes } from "node:crypto";
import { toHex } from "../../../src/protocol/bytes.ts";
import type { Measurement } from "../../../src/protocol/job/measurement.ts";
import type { Terms } from "../../../src/protocol/job/terms.ts";
import {
  type Actor,
  commitmentOf,
  type Deal,
  type Market,
  measure,
  packed,
  random32,
  strike,
} from "./escrow.ts";
import { providerTip, requesterTip } from "./secrets.ts";

/** Gas of each call of one whole job. */
export type Gas = Record<string, number>;

/** Gas of all calls together. */
export function total(gas: Gas): number {
  return Object.values(gas).reduce((sum, each) => sum + each, 0);
}

/** About what a locator sealed to one reader takes. */
const SEALED_BYTES = 300;

/** The place of an exam beside the rest of a locator: endpoint, root and key. */
const EXAM_BYTES = 140;

/** post, accept, submit, appoint, commit, reveal, claim, rate: one validator, the coin unless `change` says otherwise. */
export async function runValidated(
  market: Market,
  [requester, provider, validator]: readonly Actor[],
  { change = {}, permit }: { change?: Partial<Terms>; permit?: (amount: bigint) => Promise<Permit> } = {},
): Promise<Gas> {
  const { gas, call } = meter(market);
  const deal = await strike(market, requester!, provider!, change);
  const { theirs } = await begin(call, deal, requester!, provider!, permit);
  const own = measure(theirs.score, theirs.digest);
  await call(requester!, "appoint", [
    packed(deal),
    [{ validator: validator!.address, sealedLocator: sealed(change.mode === "exam" ? EXAM_BYTES : 0) }],
  ]);
  await call(validator!, "commit", [packed(deal), commitmentOf(deal, validator!, own)]);
  await call(validator!, "reveal", [packed(deal), own, theirs, deal.secretsCommitment]);
  const panel = [validator!.address];
  await call(provider!, "claim", [
    packed(deal),
    deal.blindedKey,
    commitmentOf(deal, provider!, theirs),
    providerTip,
    panel,
  ]);
  await call(requester!, "rate", [packed(deal), provider!.address, 5]);
  return gas;
}

/** post, accept, submit, claim, settle: no validator, native coin. */
export async function runOptimistic(market: Market, [requester, provider]: readonly Actor[]): Promise<Gas> {
  const { gas, call } = meter(market);
  const deal = await strike(market, requester!, provider!, { validators: 0 });
  const { theirs } = await begin(call, deal, requester!, provider!);
  const commitment = commitmentOf(deal, provider!, theirs);
  await call(provider!, "claim", [packed(deal), deal.blindedKey, commitment, providerTip, []]);
  await call(requester!, "settle", [packed(deal), []]);
  return gas;
}

/** What `postWithPermit` takes. */
export interface Permit {
  readonly deadline: number;
  readonly v: number;
  readonly r: string;
  readonly s: string;
}

type Caller = (actor: Actor, name: string, args: unknown[], value?: bigint) => Promise<void>;

async function begin(
  call: Caller,
  deal: Deal,
  requester: Actor,
  provider: Actor,
  permit?: (amount: bigint) => Promise<Permit>,
): Promise<{ theirs: Measurement }> {
  const { price, validatorFee, validators } = deal.terms;
  const theirs = measure(970_000_000n, random32());
  const sum = price + validatorFee * BigInt(validators);
  const posted = [packed(deal), requesterTip, sealed()];
  if (permit) await call(requester, "postWithPermit", [...posted, await permit(sum)]);
  else await call(requester, "post", posted, sum);
  await call(provider, "accept", [packed(deal)]);
  const commitment = commitmentOf(deal, provider, theirs);
  const { resultRoot, keyCommitment } = deal;
  await call(provider, "submit", [
    packed(deal),
    resultRoot,
    commitment,
    keyCommitment,
    providerTip,
    sealed(),
  ]);
  return { theirs };
}

function meter(market: Market): { gas: Gas; call: Caller } {
  const gas: Gas = {};
  const call: Caller = async (actor, name, args, value) => {
    gas[name] = Number((await market.send(market.escrow, actor, name, args, value)).gasUsed);
  };
  return { gas, call };
}

function sealed(more = 0): string {
  return toHex(randomBytes(SEALED_BYTES + more));
}
