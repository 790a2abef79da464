import { IchainError } from "../../errors/error.ts";
import type { ImprovementCall } from "../../ports/market/improvement.ts";
import { improvementPriceOf } from "../../protocol/campaign/improvement/market.ts";
import { type Address, sameAddress, ZERO_ADDRESS } from "../../protocol/ids.ts";
import type { Addresses } from "../addresses.ts";
import type { CampaignRequest } from "./encode-campaign.ts";

/** Calls of the port as `ImprovementMarket` takes them. */
export function encodeImprovement(call: ImprovementCall): CampaignRequest {
  const { id, terms } = call.improvement;
  const along = (amount: bigint) => (sameAddress(terms.token, ZERO_ADDRESS) ? amount : 0n);
  const request = (name: string, args: readonly unknown[] = []): CampaignRequest => ({
    ...{ name, args: [id, ...args], value: 0n },
  });
  switch (call.kind) {
    case "openMarket":
      return { name: "open", args: [terms, call.offer], value: along(improvementPriceOf(call.offer)) };
    case "stakeEntry":
      return { ...request("stake", [call.entry, call.amount]), value: along(call.amount) };
    case "beginMarket":
      return request("begin");
    case "drawMarket":
      return request("empanel");
    case "settleMarket":
      return request("settle");
    case "sweepMarket":
      return request("sweep");
    case "commitRoot":
      return request("commit", [call.commitment]);
    case "revealRoot":
      return request("reveal", [call.root, call.salt]);
    case "claimPayout":
      return request("claim", [call.entry, call.account, call.amount, call.proof]);
    case "refundStake":
      return request("refund", [call.entry]);
  }
}

/**
 * The contract of improvement markets.
 * @throws CONTRACTS_MISSING on a network that names none
 */
export function improvementsOf({ improvements }: Addresses): Address {
  if (improvements !== undefined) return improvements;
  throw new IchainError("CONTRACTS_MISSING", "This network names no contract of improvement markets.");
}
