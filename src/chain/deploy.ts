import { type BaseWallet, concat, getCreateAddress, Transaction } from "ethers";
import type { AbortOptions } from "../async/abort.ts";
import { IchainError } from "../errors/error.ts";
import type { Address, Hex } from "../protocol/ids.ts";
import { artifactOf, type ContractName } from "./abi/artifacts.ts";
import { explainRefusal } from "./abi/refusals.ts";
import type { Addresses } from "./addresses.ts";
import { readNonce } from "./rpc/blocks.ts";
import { currentFees, DEFAULT_FEE_CAPS } from "./rpc/fees.ts";
import { watchHeads } from "./rpc/heads.ts";
import { answered, parseQuantity } from "./rpc/quantities.ts";
import { connectRpc, type Rpc } from "./rpc/rpc.ts";
import type { Attempt } from "./send/outbox.ts";
import { findReceipt, sendRaw } from "./send/raw.ts";

export interface DeployOptions extends AbortOptions {
  readonly rpcUrl: string;
  readonly wallet: BaseWallet;
  /** Stake that a validator needs to be drawn, wei. */
  readonly poolStake?: bigint | undefined;
  /** Seconds between the request to withdraw a stake and its payment. */
  readonly cooldown?: number | undefined;
}

export interface Deployment extends Addresses {
  readonly chainId: number;
  readonly block: number;
}

export const DEFAULT_POOL_STAKE = 10n ** 18n;
export const DEFAULT_COOLDOWN = 7 * 86_400;

/** Several times what the largest of the contracts needs; the rest is not spent. */
const GAS_LIMIT = 8_000_000n;

/** The market's contracts, in the order in which they are deployed. */
export const marketParts = [
  "rating",
  "registry",
  "exceptions",
  "escrow",
  "federatedExceptions",
  "federated",
  "campaigns",
  "improvements",
] as const;
type MarketPart = (typeof marketParts)[number];

/** One contract of the market: where it will be, and the creation code with its arguments. */
interface Creation {
  readonly address: Address;
  readonly data: Hex;
}

/**
 * The market's contracts in the order in which `from` must deploy them, beginning with `nonce`: registry and rating
 * come first and list the addresses that the escrows will have.
 */
export function creationsOf(
  from: Address,
  nonce: number,
  { poolStake, cooldown }: { poolStake: bigint; cooldown: number },
): Readonly<Record<MarketPart, Creation>> {
  const at = (offset: number) => getCreateAddress({ from, nonce: nonce + offset }) as Address;
  const [rating, registry, exceptions, escrow] = [at(0), at(1), at(2), at(3)];
  const [federatedExceptions, federated, campaigns, improvements] = [at(4), at(5), at(6), at(7)];
  const escrows = [escrow, federated];
  const create = (address: Address, name: ContractName, args: readonly unknown[]): Creation => {
    const { abi, bytecode } = artifactOf(name);
    return { address, data: concat([bytecode, abi.encodeDeploy(args)]) as Hex };
  };
  return {
    rating: create(rating, "ProviderRating", [escrows]),
    registry: create(registry, "ProviderRegistry", [rating, escrows, poolStake, cooldown]),
    exceptions: create(exceptions, "JobExceptions", [registry, rating]),
    escrow: create(escrow, "JobEscrow", [registry, rating, exceptions]),
    federatedExceptions: create(federatedExceptions, "FederatedExceptions", [registry, rating]),
    federated: create(federated, "FederatedEscrow", [registry, rating, federatedExceptions]),
    campaigns: create(campaigns, "DataCampaign", [registry]),
    improvements: create(improvements, "ImprovementMarket", [campaigns]),
  };
}

/**
 * Deploys the market by one transaction a contract, all sent at once. For the devnet, where every start is a new
 * chain; a lasting chain is deployed to with Ignition (`deployment/`), which resumes.
 * @throws DEPLOY_FAILED
 */
export async function deploy(options: DeployOptions): Promise<Deployment> {
  const { poolStake = DEFAULT_POOL_STAKE, cooldown = DEFAULT_COOLDOWN } = options;
  return deployed(options, (from, nonce) => {
    const created = creationsOf(from, nonce, { poolStake, cooldown });
    const { escrow, registry, rating, federated, campaigns, improvements } = created;
    return {
      created: {
        ...{ escrow: escrow.address, registry: registry.address, rating: rating.address },
        ...{ federated: federated.address, campaigns: campaigns.address },
        improvements: improvements.address,
      },
      code: marketParts.map((part) => created[part].data),
    };
  });
}

/**
 * Deploys the devnet's token (`contracts/devnet/`); each of `holders` gets `amount`, smallest unit.
 * @throws DEPLOY_FAILED
 */
export async function deployTestToken(
  options: Pick<DeployOptions, "rpcUrl" | "wallet" | "signal">,
  holders: readonly Address[],
  amount: bigint,
): Promise<Address> {
  const { address } = await deployed(options, (from, nonce) => {
    const { abi, bytecode } = artifactOf("TestToken");
    return {
      created: { address: getCreateAddress({ from, nonce }) as Address },
      code: [concat([bytecode, abi.encodeDeploy([holders, amount])]) as Hex],
    };
  });
  return address;
}

/** Sends the creations that `plan` makes for the wallet's address and next nonce, and waits until they are mined. */
async function deployed<Created>(
  { rpcUrl, wallet, signal }: Pick<DeployOptions, "rpcUrl" | "wallet" | "signal">,
  plan: (from: Address, nonce: number) => { created: Created; code: readonly Hex[] },
): Promise<Created & { chainId: number; block: number }> {
  const abortOptions = { signal };
  const rpc = connectRpc(rpcUrl);
  const from = wallet.address as Address;
  try {
    const [id, fees, nonce] = await Promise.all([
      rpc.send("eth_chainId", [], abortOptions),
      currentFees(rpc, DEFAULT_FEE_CAPS, abortOptions),
      readNonce(rpc, from, "pending", abortOptions),
    ]);
    const chainId = Number(answered(parseQuantity, id, "its chain id"));
    const { created, code } = plan(from, nonce);
    const attempts = code.map((data, i): Attempt => {
      const tx = Transaction.from({
        ...{ type: 2, chainId, nonce: nonce + i, data, gasLimit: GAS_LIMIT },
        ...{ maxFeePerGas: fees.max, maxPriorityFeePerGas: fees.priority },
      });
      tx.signature = wallet.signingKey.sign(tx.unsignedHash);
      return { hash: tx.hash as Hex, raw: tx.serialized as Hex, nonce: tx.nonce, at: Date.now() };
    });
    for (const attempt of attempts) await sendRaw(rpc, attempt, abortOptions);
    const blocks: number[] = [];
    for (const attempt of attempts) blocks.push(await mined(rpc, attempt, from, abortOptions));
    return { chainId, block: blocks[0]!, ...created };
  } catch (error) {
    throw explainRefusal(error, artifactOf("JobEscrow").abi, "deploy the market");
  }
}

/** The block of a creation, once it is mined. */
async function mined(rpc: Rpc, attempt: Attempt, from: Address, abortOptions: AbortOptions): Promise<number> {
  const heads = watchHeads(rpc, 500);
  for (;;) {
    const head = await heads.read(abortOptions);
    const receipt = await findReceipt(rpc, [attempt], abortOptions);
    if (receipt?.succeeded) return receipt.block;
    if (receipt !== undefined) throw failed(from);
    await heads.changed(head.hash, abortOptions);
  }
}

function failed(from: Address): IchainError {
  return new IchainError(
    "DEPLOY_FAILED",
    "The market's contracts could not be deployed: the transaction reverted.",
    { details: { from } },
  );
}
