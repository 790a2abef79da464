import type { Interface } from "ethers";
import type { AccountCall, UnsignedCall } from "../../ports/market/ownership.ts";
import type { Spender } from "../../ports/market.ts";
import type { Address, Hex } from "../../protocol/ids.ts";
import type { Addresses } from "../addresses.ts";
import { artifactOf } from "./artifacts.ts";
import { campaignsOf } from "./encode-campaign.ts";
import { federatedEscrowOf } from "./encode-federated.ts";
import { improvementsOf } from "./encode-improvement.ts";

/** Encodes a call about an account; `signer` is whose it is where the call does not say. */
export function encodeAccountCall(call: AccountCall, signer: Address, addresses: Addresses): UnsignedCall {
  const of = call.of ?? signer;
  const toRegistry = (args: readonly unknown[], value = 0n): UnsignedCall =>
    request(addresses.registry, artifactOf("ProviderRegistry").abi, call.kind, args, value);
  switch (call.kind) {
    case "deposit":
      return toRegistry([of], call.amount);
    case "requestWithdrawal":
      return toRegistry([of, call.amount]);
    case "withdrawStake":
    case "acceptOwnership":
      return toRegistry([of]);
    case "offerOwnership":
      return toRegistry([of, call.to]);
    case "setPayee":
      return toRegistry([of, call.payee]);
    case "withdraw":
      return request(addresses.escrow, artifactOf("JobEscrow").abi, "withdraw", [of, call.token], 0n);
    case "withdrawFederated": {
      const { abi } = artifactOf("FederatedEscrow");
      return request(federatedEscrowOf(addresses), abi, "withdraw", [of, call.token], 0n);
    }
    case "withdrawCampaigns": {
      const { abi } = artifactOf("DataCampaign");
      return request(campaignsOf(addresses), abi, "withdraw", [of, call.token], 0n);
    }
    case "withdrawImprovements": {
      const { abi } = artifactOf("ImprovementMarket");
      return request(improvementsOf(addresses), abi, "withdraw", [of, call.token], 0n);
    }
  }
}

/** Who takes a token: the escrow of ordinary jobs unless `spender` names another. */
export function spenderAddress(spender: Spender | undefined, addresses: Addresses): Address {
  if (spender === undefined) return addresses.escrow;
  if (spender === "federated") return federatedEscrowOf(addresses);
  return spender === "campaigns" ? campaignsOf(addresses) : improvementsOf(addresses);
}

/** A call of a contract, encoded. */
export function request(
  to: Address,
  abi: Interface,
  name: string,
  args: readonly unknown[],
  value: bigint,
): UnsignedCall {
  return { to, data: abi.encodeFunctionData(name, args) as Hex, value };
}
