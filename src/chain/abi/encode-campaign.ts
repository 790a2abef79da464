import { IchainError } from "../../errors/error.ts";
import type { CampaignCall } from "../../ports/market/campaign.ts";
import { campaignFeesOf, campaignPriceOf } from "../../protocol/campaign/terms.ts";
import { type Address, sameAddress, ZERO_ADDRESS } from "../../protocol/ids.ts";
import type { Addresses } from "../addresses.ts";

/** A call of `DataCampaign`: its name and arguments, and the wei to send along. */
export interface CampaignRequest {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly value: bigint;
}

/** Calls of the port as `DataCampaign` takes them. */
export function encodeCampaign(call: CampaignCall): CampaignRequest {
  const { terms } = call.campaign;
  const request = (name: string, args: readonly unknown[] = [], amount = 0n): CampaignRequest => ({
    ...{ name, args: [terms, ...args] },
    value: sameAddress(terms.token, ZERO_ADDRESS) ? amount : 0n,
  });
  switch (call.kind) {
    case "openCampaign":
      return request("open", [call.description], campaignPriceOf(terms));
    case "addRows":
      return request(
        "add",
        [call.root, call.count, call.deposit, call.locator],
        BigInt(call.count) * call.deposit,
      );
    case "commitFix":
      return { name: "commitFix", args: [call.commitment], value: 0n };
    case "fixRow":
      return request("fix", [call.correction, call.content], terms.bond);
    case "judgeFix":
      return request("judge", [call.place, call.right]);
    case "appealFix":
      return request("appeal", [call.place], campaignFeesOf(terms));
    case "empanelFix":
      return request("empanel", [call.place]);
    case "takeFix":
      return request("take", [call.place]);
    case "commitVote":
      return request("commitVote", [call.place, call.commitment]);
    case "revealVote":
      return request("revealVote", [call.place, call.right, call.salt]);
    case "refundRows":
      return request("refund", [call.entry]);
    case "closeCampaign":
      return request("close");
    case "drawSlice":
      return request("drawSlice");
    case "publishVersion": {
      const { job: jobId, without, locator, ...version } = call.publication;
      return request("publish", [{ ...version, jobId }, without, locator]);
    }
    case "revealSlice":
      return request("reveal", [call.slice, call.digest, call.salt, call.proof, call.locator]);
  }
}

/**
 * The contract of data campaigns.
 * @throws CONTRACTS_MISSING on a network that names none
 */
export function campaignsOf({ campaigns }: Addresses): Address {
  if (campaigns !== undefined) return campaigns;
  throw new IchainError("CONTRACTS_MISSING", "This network names no contract of data campaigns.");
}
