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
 * Checks that the node is on the configured chain and that the contracts are there, and binds the database to them.
 * @throws CHAIN_MISMATCH, CONTRACTS_MISSING
 */
export async function connect(
  rpc: Rpc,
  db: Database,
  chainId: number,
  addresses: Addresses,
  options: AbortOptions,
): Promise<void> {
  const { escrow, federated, campaigns, improvements } = addresses;
  const escrows = [escrow, federated, campaigns, improvements].filter((address) => address !== undefined);
  const [actual, genesis, ...codes] = await Promise.all([
    rpc.send("eth_chainId", [], options),
    findBlock(rpc, 0, options),
    ...escrows.map((address) => rpc.send("eth_getCode", [address, "latest"], options)),
  ]);
  const found = answered(parseQuantity, actual, "its chain id");
  if (found !== BigInt(chainId)) {
    throw new IchainError(
      "CHAIN_MISMATCH",
      `The node is on chain ${found}, the configured network is chain ${chainId}.`,
      { details: { expected: chainId, found: String(found) } },
    );
  }
  const missing = escrows.find((_, i) => codes[i] === "0x");
  if (missing !== undefined) {
    throw new IchainError("CONTRACTS_MISSING", `There is no contract at ${missing} on chain ${chainId}.`, {
      details: { escrow: missing, chainId },
    });
  }
  const names = escrows.map((address) => address.toLowerCase());
  bindDatabase(db, [chainId, genesis?.hash ?? "pruned", ...names].join());
}

/** Errors of ERC-20 tokens (ERC-6093). */
const tokenErrors = new Interface([
  "error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
  "error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
]);

/** The errors of all contracts that a call can reach: the escrow calls the registry, the rating and tokens. */
export function marketErrors(): Interface {
  const names = [
    "JobEscrow",
    "FederatedEscrow",
    "DataCampaign",
    "ImprovementMarket",
    "ProviderRegistry",
    "ProviderRating",
  ] as const;
  const fragments = names.flatMap((name) =>
    artifactOf(name).abi.fragments.filter(({ type }) => type === "error"),
  );
  fragments.push(...tokenErrors.fragments);
  return new Interface([...new Map(fragments.map((fragment) => [fragment.format(), fragment])).values()]);
}
