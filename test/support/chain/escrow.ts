import { randomBytes } from "node:crypto";
import {
  BrowserProvider,
  Contract,
  type ContractTransactionResponse,
  HDNodeWallet,
  Mnemonic,
  NonceManager,
  type TransactionReceipt,
} from "ethers";
import hre from "hardhat";
import { artifactOf, type ContractName } from "../../../src/chain/abi/artifacts.ts";
import { creationsOf, marketParts } from "../../../src/chain/deploy.ts";
import { toHex } from "../../../src/protocol/bytes.ts";
import type { Address, Hex } from "../../../src/protocol/ids.ts";
import { blindKey, keyCommitment } from "../../../src/protocol/job/exchange.ts";
import { jobIdOf } from "../../../src/protocol/job/job-id.ts";
import { type Measurement, measurementCommitment } from "../../../src/protocol/job/measurement.ts";
import { packTerms } from "../../../src/protocol/job/packed-terms.ts";
import { secretsCommitment } from "../../../src/protocol/job/seeds.ts";
import { type JobState, jobStates } from "../../../src/protocol/job/state.ts";
import type { Terms } from "../../../src/protocol/job/terms.ts";
import { MASK, providerTip, someSecretHash } from "./secrets.ts";

/** The contracts on an EVM of their own in this process, called the way that a client calls them. */

export const ETHER = 10n ** 18n;
export const POOL_STAKE = ETHER / 10n;
const COOLDOWN = 3 * 86_400;
export const COIN: Address = "0x0000000000000000000000000000000000000000";

/** An account and the nonces that it has used. */
export interface Actor {
  readonly address: Address;
  readonly signer: NonceManager;
  readonly wallet: HDNodeWallet;
}

export interface Market {
  readonly provider: BrowserProvider;
  readonly chainId: bigint;
  readonly escrow: Contract;
  readonly registry: Contract;
  readonly rating: Contract;
  readonly federated: Contract;
  readonly campaigns: Contract;
  readonly actors: readonly Actor[];
  /** Any request of the node: `evm_increaseTime`, `evm_mine`, `evm_snapshot`. */
  rpc(method: string, ...params: unknown[]): Promise<unknown>;
  /** The newest block's time, Unix seconds. */
  now(): Promise<number>;
  /** Sends as `actor` and waits; rejects with the contract's reason. */
  send(
    contract: Contract,
    actor: Actor,
    name: string,
    args: unknown[],
    value?: bigint,
  ): Promise<TransactionReceipt>;
  close(): Promise<void>;
}

const PHRASE = "test test test test test test test test test test test junk";

/** Deploys the market with `actors` funded accounts. */
export async function deployMarket(actors = 12): Promise<Market> {
  const connection = await hre.network.create({
    network: "default",
    override: { allowBlocksWithSameTimestamp: true, accounts: { mnemonic: PHRASE, count: actors } },
  });
  const provider = new BrowserProvider(connection.provider, undefined, {
    cacheTimeout: -1,
    pollingInterval: 5,
  });
  const rpc = (method: string, ...params: unknown[]) => connection.provider.request({ method, params });
  const mnemonic = Mnemonic.fromPhrase(PHRASE);
  const accounts = Array.from({ length: actors }, (_, i): Actor => {
    const wallet = HDNodeWallet.fromMnemonic(mnemonic, `m/44'/60'/0'/0/${i}`);
    return { wallet, address: wallet.address as Address, signer: new NonceManager(wallet.connect(provider)) };
  });
  const deployer = accounts[0]!;
  const nonce = await provider.getTransactionCount(deployer.address);
  const created = creationsOf(deployer.address, nonce, { poolStake: POOL_STAKE, cooldown: COOLDOWN });
  for (const name of marketParts) {
    await (await deployer.signer.sendTransaction({ data: created[name].data })).wait();
  }
  const at = (name: ContractName, { address }: { address: Address }) =>
    new Contract(address, artifactOf(name).abi, provider);
  return {
    provider,
    chainId: (await provider.getNetwork()).chainId,
    escrow: at("JobEscrow", created.escrow),
    registry: at("ProviderRegistry", created.registry),
    rating: at("ProviderRating", created.rating),
    federated: at("FederatedEscrow", created.federated),
    campaigns: at("DataCampaign", created.campaigns),
    actors: accounts,
    rpc,
    now: async () => (await provider.getBlock("latest"))!.timestamp,
    async send(contract, actor, name, args, value = 0n) {
      const target = contract.connect(actor.signer) as Contract;
      await target.getFunction(name).staticCall(...args, { value });
      const sent: ContractTransactionResponse = await target.getFunction(name)(...args, {
        value,
        gasLimit: 12_000_000,
      });
      return (await sent.wait())!;
    },
    close: () => connection.close(),
  };
}

/** Publishes an offer for both roles, or to provide alone, with `stake` behind it. */
export async function join(
  market: Market,
  actor: Actor,
  stake: bigint,
  keyBytes = 800,
  validator = true,
): Promise<void> {
  const keys = { fingerprint: random32(), onionKey: random32() };
  const signature = await signKeys(market, actor.wallet, actor.address, keys);
  const draft = {
    ...{ provider: true, validator, priceFloor: 1n, feeFloor: 1n, ...keys },
    openpgpKey: toHex(randomBytes(keyBytes)),
    details: toHex(new TextEncoder().encode('{"version":1}')),
  };
  await market.send(market.registry, actor, "publish", [draft, signature]);
  if (stake > 0n) await market.send(market.registry, actor, "deposit", [actor.address], stake);
}

/** The EIP-712 signature that `publish` wants. */
export async function signKeys(
  market: Market,
  wallet: Pick<HDNodeWallet, "signTypedData">,
  account: Address,
  keys: { fingerprint: Hex; onionKey: Hex },
): Promise<Hex> {
  const verifyingContract = await market.registry.getAddress();
  const signature = await wallet.signTypedData(
    { name: "ichain", version: "1", chainId: market.chainId, verifyingContract },
    {
      Keys: [
        { name: "account", type: "address" },
        { name: "fingerprint", type: "bytes32" },
        { name: "onionKey", type: "bytes32" },
      ],
    },
    { account, ...keys },
  );
  return signature as Hex;
}

/** Secrets that the parties of one job hold, and its terms. */
export interface Deal {
  readonly terms: Terms;
  readonly id: Hex;
  readonly blindedKey: Hex;
  readonly keyCommitment: Hex;
  /** What a reveal brings beside the provider's measurement. */
  readonly secretsCommitment: Hex;
  readonly resultRoot: Hex;
}

/** Terms between two actors that are valid now; `change` overrides any. */
export async function strike(
  market: Market,
  requester: Actor,
  provider: Actor,
  change: Partial<Terms> = {},
): Promise<Deal> {
  const terms: Terms = {
    requester: requester.address,
    provider: provider.address,
    token: COIN,
    price: ETHER / 100n,
    validatorFee: ETHER / 1000n,
    providerStake: ETHER / 10n,
    validatorStake: ETHER / 20n,
    validators: 1,
    mode: "evaluate",
    tolerance: 5_000_000n,
    threshold: 900_000_000n,
    effort: 2_500,
    stop: { floor: 1_000, cap: 9_000 },
    acceptBy: (await market.now()) + 3600,
    windows: {
      run: 3600,
      appoint: 3600,
      commit: 3600,
      reveal: 3600,
      claim: 3600,
      challenge: 3600,
      appeal: 3600,
    },
    specHash: random32(),
    bundleRoot: random32(),
    secretHash: someSecretHash,
    ...change,
  };
  const id = jobIdOf(market.chainId, (await market.escrow.getAddress()) as Address, terms);
  const blindedKey = blindKey(random32(), MASK);
  const key = keyCommitment(id, blindedKey);
  return {
    terms,
    id,
    blindedKey,
    keyCommitment: key,
    secretsCommitment: secretsCommitment(key, providerTip),
    resultRoot: random32(),
  };
}

/** What a `score` (1e-9 fixed point) and the outputs named by `outputs` measure as. */
export function measure(score: bigint, outputs: Hex): Measurement {
  return { digest: outputs, score, salt: random32() };
}

export function commitmentOf(deal: Deal, author: Actor, measurement: Measurement): Hex {
  return measurementCommitment(deal.id, author.address, measurement);
}

/** A job as the contract stores it (`Record`), as far as tests look. */
export async function recordOf(
  market: Market,
  deal: Deal,
): Promise<{ state: JobState; deadline: number; toDraw: number }> {
  const word: bigint = await market.escrow.getFunction("recordOf")(deal.id);
  const bits = (from: bigint, count: bigint) => Number((word >> from) & ((1n << count) - 1n));
  return { state: jobStates[bits(0n, 4n)]!, deadline: bits(4n, 40n), toDraw: bits(56n, 4n) };
}

/** What the contract takes for the deal's terms. */
export function packed(deal: Deal) {
  return packTerms(deal.terms);
}

export function random32(): Hex {
  return toHex(randomBytes(32));
}
