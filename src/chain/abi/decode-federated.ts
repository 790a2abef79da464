import type { LogDescription, Result } from "ethers";
import { IchainError } from "../../errors/error.ts";
import type { Closed, Closing } from "../../protocol/federated/market/closing.ts";
import {
  type FederatedEvent,
  federatedCauses,
  federatedStates,
} from "../../protocol/federated/market/events.ts";
import { type FederatedTerms, federatedJobIdOf } from "../../protocol/federated/market/terms.ts";
import { type Address, type Hex, sameAddress, ZERO_ADDRESS } from "../../protocol/ids.ts";
import { artifactOf } from "./artifacts.ts";
import { MAX_LOG_BYTES, type RawLog } from "./decode.ts";

/**
 * The event of the escrow of federated jobs in `log`; undefined when ichain does not know it, or when the terms do not
 * hash to the job's id, so that a node cannot make up a job.
 */
export function decodeFederatedEvent(
  log: RawLog,
  chainId: bigint,
  escrow: Address,
): FederatedEvent | undefined {
  if (log.data.length > 2 + 2 * MAX_LOG_BYTES) return undefined;
  try {
    const parsed = artifactOf("FederatedEscrow").abi.parseLog({ topics: [...log.topics], data: log.data });
    if (parsed === null) return undefined;
    if (parsed.name !== "FederatedPosted") return decodeRound(parsed);
    const { jobId, terms: given, sealedLocator } = parsed.args.toObject();
    const terms = termsOf(given);
    const id = (jobId as string).toLowerCase() as Hex;
    if (federatedJobIdOf(chainId, escrow, terms) !== id) return undefined;
    return { kind: "posted", id, terms, sealed: sealedLocator, block: log.block };
  } catch (error) {
    // A log that does not decode is ignored; missing artifacts are the caller's problem.
    if (error instanceof IchainError) throw error;
    return undefined;
  }
}

function decodeRound({ name, args }: LogDescription): FederatedEvent | undefined {
  switch (name) {
    case "Invited": {
      const { invited, sealedInvitation } = args.toObject();
      return { kind: "invited", invitation: { providers: invited.toArray(), sealed: sealedInvitation } };
    }
    case "Enlisted":
      return { kind: "enlisted", provider: args.provider };
    case "Begun":
      return { kind: "begun", drawBlock: Number(args.drawBlock), deadline: Number(args.deadline) };
    case "Seated":
      return { kind: "seated", seat: args.seat };
    case "FirstOpened":
      return { kind: "firstOpened", deadline: Number(args.deadline) };
    case "UploadAsserted": {
      const { provider, round, upload } = args.toObject();
      return { kind: "uploadAsserted", provider, round: Number(round), upload };
    }
    case "RoundClosed":
      return { kind: "roundClosed", closed: closedOf(args.closed) };
    case "StopAsked":
      return { kind: "stopAsked" };
    case "Ended": {
      const cause = federatedCauses[Number(args.cause)];
      return cause && { kind: "ended", cause, closed: Number(args.closed), deadline: Number(args.deadline) };
    }
    case "Resumed": {
      const state = federatedStates[Number(args.state)];
      return state && { kind: "resumed", state, deadline: Number(args.deadline) };
    }
    case "Claimed":
      return { kind: "claimed", account: args.account, amount: args.amount };
    case "StakeReleased":
      return { kind: "stakeReleased", account: args.account, slashed: args.slashed };
    case "Swept":
      return { kind: "swept", amount: args.amount };
    case "FederatedRated": {
      const { rater, subject, score } = args.toObject();
      return { kind: "rated", rater, subject, score: Number(score) };
    }
    default:
      return decodeDispute(name, args);
  }
}

function decodeDispute(name: string, args: Result): FederatedEvent | undefined {
  const facts = args.toObject();
  if (name === "Struck") {
    const { provider, round, upload } = facts.strike.toObject();
    const strike = { provider, round: Number(round), upload };
    return { kind: "struck", strike, signers: facts.signers.toArray(), appealBy: Number(facts.appealBy) };
  }
  const about = sameAddress(facts.provider, ZERO_ADDRESS) ? undefined : (facts.provider as Address);
  const deadline = Number(facts.deadline);
  switch (name) {
    case "Disputed": {
      const [round, drawBlock] = [Number(facts.round), Number(facts.drawBlock)];
      return { kind: "disputed", about, challenger: facts.challenger, round, drawBlock };
    }
    case "DrawMissed":
      return { kind: "drawMissed", about, drawBlock: Number(facts.drawBlock) };
    case "Empanelled":
      return { kind: "empanelled", about, panel: facts.panel.toArray(), deadline };
    case "FindingCommitted":
      return { kind: "findingCommitted", about, validator: facts.validator, deadline };
    case "FindingRevealed":
      return { kind: "findingRevealed", about, validator: facts.validator, finding: facts.finding };
    case "DisputeConcluded":
      return {
        kind: "disputeConcluded",
        ...{ about, stands: facts.stands, decided: BigInt(facts.finding) !== 0n },
      };
    default:
      return undefined;
  }
}

function termsOf(given: Result): FederatedTerms {
  const facts = given.toObject();
  const number = (name: string) => Number(facts[name]);
  return {
    ...{ requester: facts.requester, token: facts.token, roundPrice: facts.roundPrice },
    ...{ seatFee: facts.seatFee, providerStake: facts.providerStake, seatStake: facts.seatStake },
    ...{ rounds: number("rounds"), least: number("least"), places: number("places"), seats: number("seats") },
    ...{ enlistBy: number("enlistBy"), roundWindow: number("roundWindow") },
    disputeWindow: number("disputeWindow"),
    ...{ specHash: facts.specHash, bundleRoot: facts.bundleRoot, seedHash: facts.seedHash },
    refunds: facts.refunds,
  };
}

function closedOf(given: Result): Closed {
  const { closing, closedAt, asserted, signers, previous } = given.toObject();
  const { round, ...hashes } = closing.toObject();
  return {
    closing: { round: Number(round), ...hashes } as Closing,
    ...{ closedAt: Number(closedAt), asserted: Number(asserted), signers: signers.toArray(), previous },
  };
}
