import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Wallet } from "ethers";
import type { Addresses } from "../../../src/chain/addresses.ts";
import { type DeployOptions, deploy } from "../../../src/chain/deploy.ts";
import { createMarket, type MarketOptions } from "../../../src/chain/market.ts";
import { type EvmOptions, startEvm } from "../../../src/devnet/evm/evm.ts";
import type { EvmNode } from "../../../src/devnet/evm/node.ts";
import type { Call, Market, OfferDraft, Receipt } from "../../../src/ports/market.ts";
import { toHex } from "../../../src/protocol/bytes.ts";
import { random32 } from "./terms.ts";

/** A real chain with the market deployed on it, and markets of its accounts, each with its own database. */
export interface TestChain {
  readonly node: EvmNode;
  readonly addresses: Addresses;
  /** The market of account number `index`; of nobody when undefined. */
  market(index: number | undefined, overrides?: Partial<MarketOptions>): Market;
  /** A fresh path for a database. */
  database(): string;
  stop(): Promise<void>;
}

export async function startChain(
  options: EvmOptions & Pick<DeployOptions, "poolStake" | "cooldown"> = {},
): Promise<TestChain> {
  const folder = await mkdtemp(join(tmpdir(), "ichain-chain-"));
  const node = await startEvm(options);
  const markets: Market[] = [];
  let databases = 0;
  const database = () => join(folder, `${databases++}.db`);
  const wallet = (index: number) => new Wallet(node.accounts[index]!.privateKey);
  // Small enough that who deposits a coin can be drawn and appointed.
  const { poolStake = 10n ** 17n, cooldown } = options;
  const addresses = await deploy({ rpcUrl: node.rpcUrl, wallet: wallet(0), poolStake, cooldown });
  return {
    node,
    addresses,
    database,
    market(index, overrides = {}) {
      const market = createMarket({
        rpcUrl: node.rpcUrl,
        chainId: node.chainId,
        addresses,
        wallet: index === undefined ? undefined : wallet(index),
        database: database(),
        pollMs: 20,
        ...overrides,
      });
      markets.push(market);
      return market;
    },
    async stop() {
      await Promise.all(markets.map((market) => market.stop()));
      await node.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function send(market: Market, call: Call): Promise<Receipt> {
  return market.broadcast(await market.prepare(call));
}

export function someOffer(overrides: Partial<OfferDraft> = {}): OfferDraft {
  return {
    provider: true,
    validator: true,
    priceFloor: 500n,
    feeFloor: 50n,
    keys: { openpgpKey: toHex(randomBytes(600)), fingerprint: random32(), onionKey: random32() },
    details: {
      version: 1,
      name: "test",
      tier: "runc",
      cpus: 4,
      memoryBytes: 8e9,
      diskBytes: 1e11,
      gpus: [],
      images: [{ name: "python-ml", digest: `sha256:${"ab".repeat(32)}` }],
      bundledImages: [],
      pulledImages: [],
      maxCheckpoint: 2 ** 20,
      coin: true,
      tokens: [],
    },
    ...overrides,
  };
}
