import { deploy } from "@nomicfoundation/ignition-core";
import type { BaseWallet } from "ethers";
import market from "../../ignition/modules/market.ts";
import type { Deployment } from "../../src/chain/deploy.ts";
import { connectRpc } from "../../src/chain/rpc/rpc.ts";
import { IchainError } from "../../src/errors/error.ts";
import type { Address } from "../../src/protocol/ids.ts";
import { artifactResolver, verifyCode } from "./artifacts.ts";
import { signingProvider } from "./provider.ts";

export interface IgniteOptions {
  readonly rpcUrl: string;
  readonly wallet: BaseWallet;
  /** Ignition's memory of this deployment: with it a second run, or one after a crash, repeats nothing. */
  readonly folder: string;
  readonly confirmations: number;
  readonly poolStake?: bigint | undefined;
  readonly cooldown?: bigint | undefined;
}

/** Deploys the market by Ignition, or finds it deployed, and verifies the code. Throws `DEPLOY_FAILED`. */
export async function ignite(options: IgniteOptions): Promise<Deployment> {
  const { wallet, folder, confirmations, poolStake, cooldown } = options;
  const rpc = connectRpc(options.rpcUrl);
  const chainId = BigInt((await rpc.send("eth_chainId", [])) as string);
  const parameters = Object.entries({ poolStake, cooldown }).filter(([, value]) => value !== undefined);
  const result = await deploy({
    config: {
      requiredConfirmations: confirmations,
      ...(chainId === 31337n ? { blockPollingInterval: 100 } : {}),
    },
    artifactResolver,
    provider: signingProvider(rpc, wallet, chainId),
    deploymentDir: folder,
    ignitionModule: market,
    deploymentParameters: { Market: Object.fromEntries(parameters) as Record<string, bigint> },
    accounts: [wallet.address],
    defaultSender: wallet.address,
  });
  if (result.type !== "SUCCESSFUL_DEPLOYMENT") {
    throw new IchainError(`Ignition did not deploy the market: ${result.type}.`, {
      code: "DEPLOY_FAILED",
      class: "refused",
      hint: `Look at ${folder}/journal.jsonl; a run with the same folder goes on from there.`,
      details: { result: JSON.stringify(result).slice(0, 2000) },
    });
  }
  const at = (name: string) => result.contracts[`Market#${name}`]?.address as Address;
  const names = ["JobEscrow", "ProviderRegistry", "ProviderRating"] as const;
  for (const name of names) await verifyCode(rpc, at(name), name);
  const [escrow, registry, rating] = names.map(at) as [Address, Address, Address];
  return { chainId: Number(chainId), escrow, registry, rating, block: await blockOf(rpc, escrow) };
}

/** The first block with code at `address`. */
async function blockOf(rpc: ReturnType<typeof connectRpc>, address: Address): Promise<number> {
  let [low, high] = [0, Number(await rpc.send("eth_blockNumber", []))];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const code = await rpc.send("eth_getCode", [address, `0x${middle.toString(16)}`]);
    if (code === "0x") low = middle + 1;
    else high = middle;
  }
  return low;
}
