import { Interface } from "ethers";
import type { AbortOptions } from "../async/abort.ts";
import { IchainError } from "../errors/error.ts";
import { artifactOf } from "./abi/artifacts.ts";
import type { Addresses } from "./addresses.ts";
import { bindDatabase, type Database } from "./database.ts";
import { findBlock } from "./rpc/blocks.ts";
import { answered, parseQuantity } from "./rpc/quantities.ts";
import type { Rpc } from "./rpc/rpc.ts";

/**
 * Makes sure that the node is on the chain we think, that the contracts are there, and that the database
 * remembers this chain and no other. Throws `CHAIN_MISMATCH` or `CONTRACTS_MISSING`, class `config`.
 */
export async function connect(
  rpc: Rpc,
  db: Database,
  chainId: number,
  addresses: Addresses,
  options: AbortOptions,
): Promise<void> {
  const [actual, genesis, code] = await Promise.all([
    rpc.send("eth_chainId", [], options),
    findBlock(rpc, 0, options),
    rpc.send("eth_getCode", [addresses.escrow, "latest"], options),
  ]);
  const found = answered(parseQuantity, actual, "its chain id");
  if (found !== BigInt(chainId)) {
    throw new IchainError(`The node is on chain ${found}, the configured network is chain ${chainId}.`, {
      code: "CHAIN_MISMATCH",
      class: "config",
      hint: "Give the RPC URL of a node on that chain, or choose the network that the node is on.",
      details: { expected: chainId, found: String(found) },
    });
  }
  if (code === "0x") {
    throw new IchainError(`There is no contract at ${addresses.escrow} on chain ${chainId}.`, {
      code: "CONTRACTS_MISSING",
      class: "config",
      hint: "Check the network's addresses; a devnet that was restarted has new ones.",
      details: { escrow: addresses.escrow, chainId },
    });
  }
  bindDatabase(db, [chainId, genesis?.hash ?? "pruned", addresses.escrow.toLowerCase()].join());
}

/** ERC-6093: how plain tokens say no. */
const tokenErrors = new Interface([
  "error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
  "error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
]);

/** Every error that a call can end in: the escrow's calls run into the registry's and the tokens' too. */
export function marketErrors(): Interface {
  const names = ["JobEscrow", "ProviderRegistry", "ProviderRating"] as const;
  const fragments = names.flatMap((name) =>
    artifactOf(name).abi.fragments.filter(({ type }) => type === "error"),
  );
  fragments.push(...tokenErrors.fragments);
  return new Interface([...new Map(fragments.map((fragment) => [fragment.format(), fragment])).values()]);
}
