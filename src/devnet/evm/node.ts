import { connectRpc } from "../../chain/rpc/rpc.ts";
import type { Address, Hex } from "../../protocol/ids.ts";

/** A private chain on loopback for demos and tests; its coin is worth nothing and its keys are public. */
export interface EvmNode {
  readonly client: EvmClient;
  readonly rpcUrl: string;
  readonly chainId: number;
  readonly accounts: readonly EvmAccount[];
  /** Advances the chain's clock by `seconds` and mines a block. */
  increaseTime(seconds: number): Promise<void>;
  /** Idempotent; leaves no process behind. */
  stop(): Promise<void>;
}

export interface EvmAccount {
  readonly address: Address;
  readonly privateKey: Hex;
}

/** Hardhat's EVM, or Foundry's: two implementations of one chain. */
export type EvmClient = "hardhat" | "anvil";

/** Settings of a client, defaults filled in. */
export interface EvmSettings {
  readonly accounts: readonly EvmAccount[];
  readonly port: number;
  readonly chainId: number;
  readonly blockSeconds: number;
  readonly signal: AbortSignal | undefined;
}

/** Every account starts with this much, wei. */
export const DEVNET_BALANCE = 10_000n * 10n ** 18n;
export const DEVNET_CHAIN_ID = 31337;

/** The phrase of every Ethereum development chain; never send real coin to its accounts. */
export const DEVNET_MNEMONIC = "test test test test test test test test test test test junk";

/**
 * Adds `amount` wei to what an account of a development chain holds; Hardhat and anvil have the same call.
 * @throws the node's refusal, by any other chain
 */
export async function addBalance(rpcUrl: string, account: Address, amount: bigint): Promise<bigint> {
  const rpc = connectRpc(rpcUrl);
  const held = BigInt(String(await rpc.send("eth_getBalance", [account, "latest"])));
  await rpc.send("hardhat_setBalance", [account, `0x${(held + amount).toString(16)}`]);
  await rpc.send("evm_mine", []);
  return held + amount;
}

/** Advances the clock of a development chain; Hardhat and anvil have the same calls. */
export async function increaseTime(rpcUrl: string, seconds: number): Promise<void> {
  const rpc = connectRpc(rpcUrl);
  await rpc.send("evm_increaseTime", [seconds]);
  // The new time shows only in a block.
  await rpc.send("evm_mine", []);
}
