import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deploy } from "@nomicfoundation/ignition-core";
import type { BaseWallet } from "ethers";
import market from "../../ignition/modules/market.ts";
import { creationsOf, type Deployment } from "../../src/chain/deploy.ts";
import { readNonce } from "../../src/chain/rpc/blocks.ts";
import { connectRpc, type Rpc } from "../../src/chain/rpc/rpc.ts";
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
  const [escrowAddress, federatedAddress] = await keptAddresses(folder, () =>
    nextEscrows(rpc, wallet.address),
  );
  const given = Object.entries({ poolStake, cooldown, escrowAddress, federatedAddress });
  const parameters = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  const result = await deploy({
    config: {
      requiredConfirmations: confirmations,
      ...(chainId === 31337n ? { blockPollingInterval: 100 } : {}),
    },
    artifactResolver,
    provider: signingProvider(rpc, wallet, chainId),
    deploymentDir: folder,
    ignitionModule: market,
    deploymentParameters: { Market: parameters as Record<string, bigint | string> },
    accounts: [wallet.address],
    defaultSender: wallet.address,
  });
  if (result.type !== "SUCCESSFUL_DEPLOYMENT") {
    throw new IchainError("DEPLOY_FAILED", `Ignition did not deploy the market: ${result.type}.`, {
      hint: `Look at ${folder}/journal.jsonl; a run with the same folder goes on from there. If the account sent other transactions meanwhile, the escrow cannot be deployed at its address: begin again with another folder.`,
      details: { result: JSON.stringify(result).slice(0, 2000) },
    });
  }
  const at = (name: string) => result.contracts[`Market#${name}`]?.address as Address;
  const names = [
    ...(["JobEscrow", "ProviderRegistry", "ProviderRating", "FederatedEscrow"] as const),
    ...(["JobExceptions", "FederatedExceptions"] as const),
  ] as const;
  for (const name of names) await verifyCode(rpc, at(name), name);
  const [escrow, registry, rating, federated] = names.map(at) as [Address, Address, Address, Address];
  return { chainId: Number(chainId), escrow, registry, rating, federated, block: await blockOf(rpc, rating) };
}

/** The addresses that the escrows will have if the account sends nothing else until they are deployed. */
async function nextEscrows(rpc: Rpc, account: string): Promise<readonly string[]> {
  const nonce = await readNonce(rpc, account as Address, "pending", {});
  const none = { poolStake: 0n, cooldown: 0 };
  const { escrow, federated } = creationsOf(account as Address, nonce, none);
  return [escrow.address, federated.address];
}

/** A deployment that goes on must name the addresses that it began with. */
async function keptAddresses(
  folder: string,
  choose: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const path = join(folder, "escrow-addresses");
  const kept = await readFile(path, "utf8").catch(() => undefined);
  if (kept !== undefined) return kept.trim().split("\n");
  const chosen = await choose();
  await mkdir(folder, { recursive: true });
  await writeFile(path, `${chosen.join("\n")}\n`);
  return chosen;
}

/** The first block with code at `address`. */
async function blockOf(rpc: Rpc, address: Address): Promise<number> {
  let [low, high] = [0, Number(await rpc.send("eth_blockNumber", []))];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const code = await rpc.send("eth_getCode", [address, `0x${middle.toString(16)}`]);
    if (code === "0x") low = middle + 1;
    else high = middle;
  }
  return low;
}
