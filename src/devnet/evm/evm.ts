import { HDNodeWallet, Mnemonic } from "ethers";
import type { AbortOptions } from "../../async/abort.ts";
import type { Address, Hex } from "../../protocol/ids.ts";
import { DEVNET_CHAIN_ID, DEVNET_MNEMONIC, type EvmAccount, type EvmClient, type EvmNode } from "./node.ts";

export interface EvmOptions extends AbortOptions {
  readonly client?: EvmClient | undefined;
  /** How many funded accounts. */
  readonly accounts?: number | undefined;
  /** 0 picks a free one. */
  readonly port?: number | undefined;
  readonly chainId?: number | undefined;
  /** Seconds between blocks; 0 mines one a transaction. */
  readonly blockSeconds?: number | undefined;
}

/**
 * Starts a chain and resolves once its RPC answers. The client is loaded here, so that other commands do not load it.
 * @throws DEVNET_EVM_FAILED
 */
export async function startEvm(options: EvmOptions = {}): Promise<EvmNode> {
  options.signal?.throwIfAborted();
  const settings = {
    accounts: devnetAccounts(options.accounts ?? 10),
    port: options.port ?? 0,
    chainId: options.chainId ?? DEVNET_CHAIN_ID,
    blockSeconds: options.blockSeconds ?? 0,
    signal: options.signal,
  };
  if (options.client === "anvil") return (await import("./anvil.ts")).startAnvil(settings);
  return (await import("./hardhat.ts")).startHardhat(settings);
}

function devnetAccounts(count: number): EvmAccount[] {
  const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(DEVNET_MNEMONIC), "m/44'/60'/0'/0");
  return Array.from({ length: count }, (_, i) => {
    const { address, privateKey } = root.deriveChild(i);
    return { address: address as Address, privateKey: privateKey as Hex };
  });
}
