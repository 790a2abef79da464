import type { AbortOptions } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import type { Addresses } from "../addresses.ts";
import { answered, parseQuantity } from "../rpc/quantities.ts";
import type { Rpc } from "../rpc/rpc.ts";
import { verifyMarket } from "./verify-code.ts";

/**
 * Makes sure that a node is on the chain that a network file names, and that the contracts there are those of this
 * release and name one another. It is as good as the node's word.
 * @throws CHAIN_MISMATCH, DEPLOY_UNVERIFIED
 */
export async function examineMarket(
  rpc: Rpc,
  { chainId, contracts }: { chainId: number; contracts: Addresses },
  options: AbortOptions,
): Promise<void> {
  const found = answered(parseQuantity, await rpc.send("eth_chainId", [], options), "its chain id");
  if (found !== BigInt(chainId)) {
    throw new IchainError(
      "CHAIN_MISMATCH",
      `The node is on chain ${found}, the network is chain ${chainId}.`,
      {
        details: { expected: chainId, found: String(found) },
      },
    );
  }
  await verifyMarket(rpc, contracts, options);
}
