import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildModule, deploy } from "@nomicfoundation/ignition-core";
import type { BaseWallet } from "ethers";
import { IchainError } from "../../errors/error.ts";
import type { Address } from "../../protocol/ids.ts";
import { creationsOf, DEFAULT_COOLDOWN, DEFAULT_POOL_STAKE, type Deployment } from "../deploy.ts";
import { readNonce } from "../rpc/blocks.ts";
import { connectRpc, type Rpc } from "../rpc/rpc.ts";
import { signingProvider } from "./signing-provider.ts";
import { artifactResolver, verifyMarket } from "./verify-code.ts";

export interface IgniteOptions {
  readonly rpcUrl: string;
  readonly wallet: BaseWallet;
  /** Ignition's memory of this deployment: with it a second run, or one after a crash, repeats nothing. */
  readonly folder: string;
  readonly confirmations: number;
  readonly poolStake?: bigint | undefined;
  readonly cooldown?: bigint | undefined;
}

/**
 * The whole market, in the order of `creationsOf`. `escrowAddress` and `federatedAddress` follow from the deployer's
 * nonce before the first of them: an escrow reverts at any other address.
 */
const market = buildModule("Market", (m) => {
  const poolStake = m.getParameter("poolStake", DEFAULT_POOL_STAKE);
  const cooldown = m.getParameter("cooldown", BigInt(DEFAULT_COOLDOWN));
  const escrows = [m.getParameter<string>("escrowAddress"), m.getParameter<string>("federatedAddress")];
  const rating = m.contract("ProviderRating", [escrows]);
  const registry = m.contract("ProviderRegistry", [rating, escrows, poolStake, cooldown]);
  const exceptions = m.contract("JobExceptions", [registry, rating]);
  const escrow = m.contract("JobEscrow", [registry, rating, exceptions]);
  const federatedExceptions = m.contract("FederatedExceptions", [registry, rating], { after: [escrow] });
  const federated = m.contract("FederatedEscrow", [registry, rating, federatedExceptions]);
  const campaigns = m.contract("DataCampaign", [registry], { after: [federated] });
  const improvements = m.contract("ImprovementMarket", [campaigns]);
  return { escrow, exceptions, registry, rating, federated, federatedExceptions, campaigns, improvements };
});

/**
 * Deploys the market by Ignition, or finds it deployed, and verifies the code.
 * @throws DEPLOY_FAILED, DEPLOY_UNVERIFIED
 */
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
  const addresses = {
    ...{ escrow: at("JobEscrow"), registry: at("ProviderRegistry"), rating: at("ProviderRating") },
    ...{ federated: at("FederatedEscrow"), campaigns: at("DataCampaign") },
    improvements: at("ImprovementMarket"),
  };
  await verifyMarket(rpc, addresses);
  return { chainId: Number(chainId), ...addresses, block: await blockOf(rpc, addresses.rating) };
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
