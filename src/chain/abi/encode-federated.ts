import { IchainError, impossible } from "../../errors/error.ts";
import type { Approval, FederatedCall } from "../../ports/market/federated.ts";
import type { Closed } from "../../protocol/federated/market/closing.ts";
import { disputeOf, memberOf } from "../../protocol/federated/market/fold.ts";
import { type FederatedJob, isStruck } from "../../protocol/federated/market/job.ts";
import {
  federatedBondOf,
  federatedPanelFeesOf,
  federatedPriceOf,
} from "../../protocol/federated/market/terms.ts";
import { type Address, sameAddress, ZERO_ADDRESS } from "../../protocol/ids.ts";
import type { Addresses } from "../addresses.ts";

/** A call of the escrow of federated jobs: its name and arguments, and the wei to send along. */
export interface FederatedRequest {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly value: bigint;
}

/** Calls of the port as `FederatedEscrow` takes them. */
export function encodeFederated(call: FederatedCall): FederatedRequest {
  const { terms } = call.federated;
  const request = (name: string, args: readonly unknown[] = [], amount = 0n): FederatedRequest => ({
    ...{ name, args: [terms, ...args] },
    value: sameAddress(terms.token, ZERO_ADDRESS) ? amount : 0n,
  });
  switch (call.kind) {
    case "postFederated":
      return request("post", [call.sealed], federatedPriceOf(terms));
    case "invite":
      return request("invite", [call.invitation.providers, call.invitation.sealed]);
    case "enlist":
      return request("enlist", [call.admission]);
    case "seat":
      return request("seat", [call.seed]);
    case "assertUpload":
      return request("assertUpload", [call.upload]);
    case "closeRound":
      return request("close", [call.closing, ascending(call.approvals)]);
    case "claimPay":
      return request("claim", [call.payouts, closingsFrom(call.federated, call.round)]);
    case "stopFederated":
      return request("stop");
    case "expireFederated":
      return request("expire");
    case "releaseStakes":
      return request("release", [stakedIn(call.federated)]);
    case "sweepPay":
      return request("sweep");
    case "strike":
      return request("strike", [call.strike, ascending(call.approvals)]);
    case "challengeRound":
      return request("challenge", [closingsFrom(call.federated, call.round)], federatedBondOf(terms));
    case "appealStrike":
      return request("appeal", strikeArgs(call.federated, call.about), federatedPanelFeesOf(terms));
    case "empanel":
      return request("empanel", [call.about ?? ZERO_ADDRESS]);
    case "commitFinding":
      return request("commitFinding", [call.about ?? ZERO_ADDRESS, call.commitment]);
    case "revealFinding":
      return request("revealFinding", [call.about ?? ZERO_ADDRESS, call.finding, call.salt]);
    case "concludeDispute":
      return concluding(call.federated, call.about, request);
    case "rateFederated":
      return request("rate", [call.subject, call.score]);
    case "begin":
      return request("begin");
  }
}

/**
 * The escrow of federated jobs.
 * @throws CONTRACTS_MISSING on a network that names none
 */
export function federatedEscrowOf({ federated }: Addresses): Address {
  if (federated !== undefined) return federated;
  throw new IchainError("CONTRACTS_MISSING", "This network names no escrow of federated jobs.");
}

function concluding(
  job: FederatedJob,
  about: Address | undefined,
  request: (name: string, args: readonly unknown[]) => FederatedRequest,
): FederatedRequest {
  if (about !== undefined) return request("concludeAppeal", strikeArgs(job, about));
  const dispute = disputeOf(job, undefined) ?? impossible("a dispute is concluded that is not open");
  return request("concludeChallenge", [closingsFrom(job, dispute.round)]);
}

/** The closings from that of `round` to the last one: how the contract knows them. */
function closingsFrom({ closings }: FederatedJob, round: number): readonly Closed[] {
  return closings.slice(round - 1);
}

/** A strike as the contract keeps it, by its hash: what was found, and who signed. */
function strikeArgs(job: FederatedJob, provider: Address): readonly unknown[] {
  const strike = memberOf(job, provider)?.strike ?? impossible("a call about a strike that is not known");
  return [strike.found, strike.signers];
}

/** Those that were struck come first: the stakes of others can wait for theirs. */
function stakedIn({ members }: FederatedJob): Address[] {
  const free = new Set(["released", "slashed"]);
  return members
    .filter(({ standing }) => !free.has(standing))
    .toSorted((a, b) => Number(isStruck(b)) - Number(isStruck(a)))
    .map(({ account }) => account);
}

/** The contract's order, which excludes duplicates. */
function ascending(approvals: readonly Approval[]): Approval[] {
  return approvals.toSorted((a, b) => (BigInt(a.seat) < BigInt(b.seat) ? -1 : 1));
}
