import { Interface } from "ethers";
import { impossible } from "../../errors/error.ts";
import type { UnsignedCall } from "../../ports/market/ownership.ts";
import type { Call, OfferDraft } from "../../ports/market.ts";
import { toHex } from "../../protocol/bytes.ts";
import { campaignIdOf } from "../../protocol/campaign/terms.ts";
import { federatedJobIdOf } from "../../protocol/federated/market/terms.ts";
import { type Address, type Hex, sameAddress, ZERO_ADDRESS } from "../../protocol/ids.ts";
import { appealBondOf, challengeBondOf } from "../../protocol/job/bond.ts";
import type { Job, Submission } from "../../protocol/job/job.ts";
import { jobIdOf } from "../../protocol/job/job-id.ts";
import type { Measurement } from "../../protocol/job/measurement.ts";
import { packTerms } from "../../protocol/job/packed-terms.ts";
import { secretsCommitment } from "../../protocol/job/seeds.ts";
import { lockedBy, type Terms } from "../../protocol/job/terms.ts";
import type { Addresses } from "../addresses.ts";
import { artifactOf } from "./artifacts.ts";
import { encodeAccountCall, request, spenderAddress } from "./encode-account.ts";
import { campaignsOf, encodeCampaign } from "./encode-campaign.ts";
import { encodeFederated, federatedEscrowOf } from "./encode-federated.ts";
import { encodeImprovement, improvementsOf } from "./encode-improvement.ts";

/** Calls of the port as the contracts take them. */

const erc20 = new Interface(["function approve(address spender, uint256 amount) returns (bool)"]);

export interface EncodeContext {
  /** Who signs. */
  readonly account: Address;
  readonly addresses: Addresses;
  /** The wallet's EIP-712 signature over its keys (`IProviderRegistry.publish`). */
  readonly signKeys: (draft: OfferDraft) => Hex;
}

export async function encodeCall(call: Call, context: EncodeContext): Promise<UnsignedCall> {
  const { escrow, registry } = context.addresses;
  const escrowAbi = artifactOf("JobEscrow").abi;
  const registryAbi = artifactOf("ProviderRegistry").abi;
  const toEscrow = (name: string, args: readonly unknown[], value = 0n): UnsignedCall =>
    request(escrow, escrowAbi, name, args, value);
  const toRegistry = (name: string, args: readonly unknown[], value = 0n): UnsignedCall =>
    request(registry, registryAbi, name, args, value);
  const ofJob = (name: string, job: Job, ...args: unknown[]): UnsignedCall =>
    toEscrow(name, [packTerms(job.terms), ...args]);

  if ("federated" in call) {
    const { name, args, value } = encodeFederated(call);
    return request(
      federatedEscrowOf(context.addresses),
      artifactOf("FederatedEscrow").abi,
      name,
      args,
      value,
    );
  }
  if ("campaign" in call) {
    const { name, args, value } = encodeCampaign(call);
    return request(campaignsOf(context.addresses), artifactOf("DataCampaign").abi, name, args, value);
  }
  if ("improvement" in call) {
    const { name, args, value } = encodeImprovement(call);
    return request(improvementsOf(context.addresses), artifactOf("ImprovementMarket").abi, name, args, value);
  }
  switch (call.kind) {
    case "publish":
      return toRegistry("publish", [draftOf(call.offer), context.signKeys(call.offer)]);
    case "post": {
      const args = [packTerms(call.terms), call.seedTip, call.sealed];
      if (call.permit !== undefined) return toEscrow("postWithPermit", [...args, call.permit]);
      return toEscrow("post", args, sentAlong(call.terms, lockedBy(call.terms)));
    }
    case "submit": {
      const { resultRoot, measurementCommitment, keyCommitment, seedTip, sealed } = call;
      return ofJob("submit", call.job, resultRoot, measurementCommitment, keyCommitment, seedTip, sealed);
    }
    case "release":
      return ofJob("release", call.job, utf8(call.reason), call.sealedLog ?? "0x");
    case "abstain":
      return ofJob(call.kind, call.job, utf8(call.reason));
    case "appoint":
      return ofJob(
        "appoint",
        call.job,
        call.validators.map(({ address, sealed }) => ({ validator: address, sealedLocator: sealed })),
      );
    case "handover":
      return ofJob("handover", call.job, call.validator, call.sealed);
    case "dismiss":
      return ofJob("dismiss", call.job, missing(call.job));
    case "commit":
      return ofJob("commit", call.job, call.commitment);
    case "reveal":
      return call.providers === undefined
        ? ofJob("revealAlone", call.job, plain(call.own))
        : ofJob("reveal", call.job, plain(call.own), plain(call.providers), secretsOf(call.job));
    case "disclose":
      return ofJob("disclose", call.job, plain(call.own), secretsOf(call.job));
    case "claim": {
      const { measurementCommitment, seedTip } = submissionOf(call.job);
      return ofJob("claim", call.job, call.blindedKey, measurementCommitment, seedTip, panelOf(call.job));
    }
    case "settle":
    case "expire":
      return ofJob(call.kind, call.job, panelOf(call.job));
    case "revealSeed":
      return ofJob("revealSeed", call.job, call.maskHash, call.seed);
    case "draw": {
      const { measurementCommitment, keyCommitment } = submissionOf(call.job);
      return ofJob("draw", call.job, measurementCommitment, keyCommitment, call.seed);
    }
    case "challenge": {
      const { terms } = call.job;
      const bond = sentAlong(terms, challengeBondOf(terms));
      return toEscrow("challenge", [packTerms(terms), call.maskHash, call.seed], bond);
    }
    case "appeal": {
      const { terms } = call.job;
      return toEscrow("appeal", [packTerms(terms)], sentAlong(terms, appealBondOf(terms)));
    }
    case "rate":
      return ofJob("rate", call.job, call.subject, call.score);
    case "deposit":
    case "requestWithdrawal":
    case "withdrawStake":
    case "withdraw":
    case "withdrawFederated":
    case "withdrawCampaigns":
    case "withdrawImprovements":
    case "offerOwnership":
    case "acceptOwnership":
    case "setPayee":
      return encodeAccountCall(call, context.account, context.addresses);
    case "approve": {
      const spender = spenderAddress(call.spender, context.addresses);
      return request(call.token, erc20, "approve", [spender, call.amount], 0n);
    }
    default:
      return ofJob(call.kind, call.job);
  }
}

/** The id of the job that a call is about; for `post`, of the job that it creates. */
export function jobOfCall(call: Call, chainId: bigint, addresses: Addresses): Hex | undefined {
  if (call.kind === "post") return jobIdOf(chainId, addresses.escrow, call.terms);
  if (call.kind === "postFederated")
    return federatedJobIdOf(chainId, federatedEscrowOf(addresses), call.federated.terms);
  if ("federated" in call) return call.federated.id;
  if (call.kind === "openCampaign") return campaignIdOf(chainId, campaignsOf(addresses), call.campaign.terms);
  if ("campaign" in call) return undefined;
  return "job" in call ? call.job.id : undefined;
}

function sentAlong(terms: Terms, amount: bigint): bigint {
  return sameAddress(terms.token, ZERO_ADDRESS) ? amount : 0n;
}

function submissionOf({ submission }: Job): Submission {
  return submission ?? impossible("a call needs what was submitted before it was");
}

function secretsOf(job: Job): Hex {
  const { keyCommitment, seedTip } = submissionOf(job);
  return secretsCommitment(keyCommitment, seedTip);
}

/** Every validator that ever had a seat, ascending by address: the contract's order, which excludes duplicates. */
function panelOf(job: Job): Address[] {
  const order = (address: Address) => BigInt(address);
  return job.validations
    .map(({ validator }) => validator)
    .sort((a, b) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0));
}

function missing(job: Job): Address[] {
  return job.validations
    .filter(({ abstained, commitment }) => !abstained && commitment === undefined)
    .map(({ validator }) => validator);
}

function draftOf({ provider, validator, priceFloor, feeFloor, keys, details }: OfferDraft) {
  const { fingerprint, onionKey, openpgpKey } = keys;
  return {
    ...{ provider, validator, priceFloor, feeFloor, fingerprint, onionKey, openpgpKey },
    details: utf8(JSON.stringify(details)),
  };
}

function plain({ digest, score, salt }: Measurement): Measurement {
  return { digest, score, salt };
}

function utf8(text: string): Hex {
  return toHex(new TextEncoder().encode(text));
}
