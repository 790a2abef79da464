import type { BaseWallet } from "ethers";
import { type AbortOptions, linkSignals, raceSignal } from "../async/abort.ts";
import { type Logger, silentLogger } from "../ports/logger.ts";
import type { Market, MarketWriter } from "../ports/market.ts";
import { campaignIdOf } from "../protocol/campaign/terms.ts";
import { federatedJobIdOf } from "../protocol/federated/market/terms.ts";
import { jobIdOf } from "../protocol/job/job-id.ts";
import { explainSqlite, sqliteCode } from "../sqlite/faults.ts";
import { encodeAccountCall } from "./abi/encode-account.ts";
import { campaignsOf } from "./abi/encode-campaign.ts";
import { federatedEscrowOf } from "./abi/encode-federated.ts";
import type { Addresses } from "./addresses.ts";
import { connect } from "./connection.ts";
import { openDatabase } from "./database.ts";
import { isSignedNotice } from "./notices.ts";
import { type ChainReader, createReader } from "./reader.ts";
import { createClock } from "./rpc/clock.ts";
import { DEFAULT_FEE_CAPS, type FeeCaps } from "./rpc/fees.ts";
import { watchHeads } from "./rpc/heads.ts";
import { connectNodes, type NodeTimes } from "./rpc/nodes/nodes.ts";
import { connectRpc } from "./rpc/rpc.ts";
import type { Warn } from "./warnings.ts";
import { createWriter, walletMissing } from "./writer.ts";

export interface MarketOptions {
  readonly rpcUrl: string;
  /** More nodes of the same chain; a quorum of all decides (docs/limits.md). */
  readonly rpcUrls?: readonly string[] | undefined;
  readonly nodeTimes?: NodeTimes | undefined;
  readonly chainId: number;
  readonly addresses: Addresses;
  /** Signs transactions; without it the market is read-only. */
  readonly wallet?: BaseWallet | undefined;
  /** Where the index and the outbox lie; `:memory:` keeps nothing. */
  readonly database: string;
  /** Called with the new path of a damaged database that was set aside. */
  readonly onDamage?: ((setAsideAs: string) => void) | undefined;
  /** Blocks from an event's own up to the newest, both counted, before it is acted on. Default 1. */
  readonly confirmations?: number | undefined;
  /** Milliseconds between two polls while a caller waits. Default 200 on devnet, else 4000. */
  readonly pollMs?: number | undefined;
  /** How long a transaction may wait before its fees are raised, milliseconds. Default a minute. */
  readonly stuckMs?: number | undefined;
  /** How long a prepared, unsent transaction keeps its nonce, milliseconds. Default half a minute. */
  readonly graceMs?: number | undefined;
  /** What a unit of gas may cost at most. */
  readonly fees?: FeeCaps | undefined;
  /** How the chain charges for data; not at all where absent. */
  readonly dataFee?: "op-stack" | undefined;
  /** Gets what the operator should look at. */
  readonly warn?: Warn | undefined;
  /** Gets each call of a node that failed, at level `debug`. */
  readonly logger?: Logger | undefined;
}

/**
 * The market's contracts behind one RPC URL, or several. The first call, or `start`, checks chain and contracts.
 * @throws CHAIN_UNAVAILABLE, CHAIN_MISMATCH, CONTRACTS_MISSING from any call; the codes of `openDatabase` from this one
 * @example
 * const market = createMarket({ rpcUrl, chainId, addresses, database: ":memory:" });
 * const job = await market.job(id);
 * await market.stop();
 */
export function createMarket(options: MarketOptions): Market {
  const { addresses, wallet, confirmations = 1, stuckMs = 60_000, graceMs = 30_000 } = options;
  const { warn = () => undefined, fees = DEFAULT_FEE_CAPS, logger = silentLogger } = options;
  const pollMs = options.pollMs ?? (options.chainId === 31337 ? 200 : 4_000);
  const stopped = new AbortController();
  const urls = [...new Set([options.rpcUrl, ...(options.rpcUrls ?? [])])];
  const { chainId, nodeTimes } = options;
  const rpc =
    urls.length === 1
      ? connectRpc(options.rpcUrl, { logger })
      : connectNodes(urls, { chainId, warn, logger, times: nodeTimes });
  const clock = createClock({ rpc, warn });
  const heads = watchHeads(rpc, pollMs, clock.see);
  const db = openDatabase(options.database, options.onDamage);
  const parts = {
    rpc,
    heads,
    clock,
    db,
    chainId: BigInt(options.chainId),
    addresses,
    confirmations,
    fees,
    dataFee: options.dataFee,
    warn,
    stuckMs,
    graceMs,
  };
  let connected: Promise<void> | undefined;
  let reader: ChainReader | undefined;
  let writer: MarketWriter | undefined;
  const underWay = new Set<Promise<unknown>>();

  /** Once connected; a failure is not remembered, so that the next call tries again. */
  async function ready(signal: AbortSignal): Promise<void> {
    connected ??= connect(rpc, db, options.chainId, addresses, { signal: stopped.signal });
    try {
      await raceSignal(track(connected), signal);
    } catch (error) {
      if (!signal.aborted) connected = undefined;
      throw error;
    }
  }
  /** Has `stop` wait for `work` before it closes the database. */
  function track<T>(work: Promise<T>): Promise<T> {
    underWay.add(work);
    work.catch(() => undefined).finally(() => underWay.delete(work));
    return work;
  }
  /** `use` with a signal that `stop` aborts too. */
  async function run<T>(
    abortOptions: AbortOptions | undefined,
    use: (abortOptions: AbortOptions) => Promise<T>,
  ): Promise<T> {
    using linked = linkSignals([stopped.signal, abortOptions?.signal]);
    const { signal } = linked;
    try {
      await ready(signal);
      return await track(use({ signal }));
    } catch (error) {
      throw explained(error);
    }
  }
  async function* iterate<T>(
    abortOptions: AbortOptions | undefined,
    use: (abortOptions: AbortOptions) => AsyncIterable<T>,
  ): AsyncIterable<T> {
    using linked = linkSignals([stopped.signal, abortOptions?.signal]);
    const { signal } = linked;
    try {
      await ready(signal);
      const items = use({ signal })[Symbol.asyncIterator]();
      try {
        for (let item = await track(items.next()); !item.done; item = await track(items.next()))
          yield item.value;
      } finally {
        await items.return?.();
      }
    } catch (error) {
      throw explained(error);
    }
  }
  /** Database faults as typed errors: a daemon retries what is retryable instead of giving a job up. */
  const explained = (error: unknown): unknown =>
    sqliteCode(error) === undefined ? error : explainSqlite(error, "index", options.database);
  const read = (): ChainReader => {
    reader ??= createReader(parts);
    return reader;
  };
  const write = (): MarketWriter => {
    if (wallet === undefined) throw walletMissing();
    writer ??= createWriter(wallet, parts);
    return writer;
  };

  return {
    get account() {
      return write().account;
    },
    start: (abortOptions) => run(abortOptions, async () => undefined),
    async stop() {
      if (stopped.signal.aborted) return;
      stopped.abort();
      heads.stop();
      rpc.close?.();
      await Promise.allSettled(underWay);
      db.close();
    },
    isSigned: (signed, account) =>
      isSignedNotice(signed, account, { chainId: parts.chainId, escrow: addresses.escrow }),
    signNotice: (notice) => write().signNotice(notice),
    signAdmission: (job, provider) => write().signAdmission(job, provider),
    signClosing: (job, closing) => write().signClosing(job, closing),
    signStrike: (job, strike) => write().signStrike(job, strike),
    signRecord: (hash) => write().signRecord(hash),
    signPermit: async (request, abortOptions) => {
      const target = write();
      return run(abortOptions, (bounded) => target.signPermit(request, bounded));
    },
    sentBy: (account, which, abortOptions) =>
      run(abortOptions, (bounded) => read().sentBy(account, which, bounded)),
    token: (address, abortOptions) => run(abortOptions, (bounded) => read().token(address, bounded)),
    tokenFunds: (account, token, { spender, ...abortOptions } = {}) =>
      run(abortOptions, (bounded) => read().tokenFunds(account, token, { ...bounded, spender })),
    jobIdOf: (terms) => jobIdOf(parts.chainId, addresses.escrow, terms),
    now: (abortOptions) => run(abortOptions, (bounded) => read().now(bounded)),
    chainPace: (abortOptions) => run(abortOptions, (bounded) => read().chainPace(bounded)),
    balance: (account, abortOptions) => run(abortOptions, (bounded) => read().balance(account, bounded)),
    owed: (account, token, abortOptions) =>
      run(abortOptions, (bounded) => read().owed(account, token, bounded)),
    poolStake: (abortOptions) => run(abortOptions, (bounded) => read().poolStake(bounded)),
    leaving: (account, abortOptions) => run(abortOptions, (bounded) => read().leaving(account, bounded)),
    ownership: (account, abortOptions) => run(abortOptions, (bounded) => read().ownership(account, bounded)),
    unsigned: (call) => encodeAccountCall(call, call.of, addresses),
    gasPrice: (abortOptions) => run(abortOptions, (bounded) => read().gasPrice(bounded)),
    dataFee: (sizes, abortOptions) => run(abortOptions, (bounded) => read().dataFee(sizes, bounded)),
    offers: (abortOptions) => iterate(abortOptions, (bounded) => read().offers(bounded)),
    offer: (account, abortOptions) => run(abortOptions, (bounded) => read().offer(account, bounded)),
    job: (id, abortOptions) => run(abortOptions, (bounded) => read().job(id, bounded)),
    jobs: (filter, abortOptions) => run(abortOptions, (bounded) => read().jobs(filter, bounded)),
    pastJobs: (providers, abortOptions) =>
      iterate(abortOptions, (bounded) => read().pastJobs(providers, bounded)),
    resolveJob: (prefix, abortOptions) => run(abortOptions, (bounded) => read().resolveJob(prefix, bounded)),
    follow: (id, abortOptions) => iterate(abortOptions, (bounded) => read().follow(id, bounded)),
    watch: (filter, abortOptions) => iterate(abortOptions, (bounded) => read().watch(filter, bounded)),
    federatedJobIdOf: (terms) => federatedJobIdOf(parts.chainId, federatedEscrowOf(addresses), terms),
    federatedJob: (id, abortOptions) => run(abortOptions, (bounded) => read().federatedJob(id, bounded)),
    federatedJobs: (filter, abortOptions) =>
      run(abortOptions, (bounded) => read().federatedJobs(filter, bounded)),
    ledgerDomainOf: (job) => ({ chainId, escrow: federatedEscrowOf(addresses), job }),
    resolveFederatedJob: (prefix, abortOptions) =>
      run(abortOptions, (bounded) => read().resolveFederatedJob(prefix, bounded)),
    followFederated: (id, abortOptions) =>
      iterate(abortOptions, (bounded) => read().followFederated(id, bounded)),
    watchFederated: (filter, abortOptions) =>
      iterate(abortOptions, (bounded) => read().watchFederated(filter, bounded)),
    owedFederated: (account, token, abortOptions) =>
      run(abortOptions, (bounded) => read().owedFederated(account, token, bounded)),
    campaignIdOf: (terms) => campaignIdOf(parts.chainId, campaignsOf(addresses), terms),
    campaign: (id, abortOptions) => run(abortOptions, (bounded) => read().campaign(id, bounded)),
    campaigns: (filter, abortOptions) => run(abortOptions, (bounded) => read().campaigns(filter, bounded)),
    resolveCampaign: (prefix, abortOptions) =>
      run(abortOptions, (bounded) => read().resolveCampaign(prefix, bounded)),
    followCampaign: (id, abortOptions) =>
      iterate(abortOptions, (bounded) => read().followCampaign(id, bounded)),
    watchCampaigns: (filter, abortOptions) =>
      iterate(abortOptions, (bounded) => read().watchCampaigns(filter, bounded)),
    owedCampaigns: (account, token, abortOptions) =>
      run(abortOptions, (bounded) => read().owedCampaigns(account, token, bounded)),
    improvementPanel: (campaign, abortOptions) =>
      run(abortOptions, (bounded) => read().improvementPanel(campaign, bounded)),
    owedImprovements: (account, token, abortOptions) =>
      run(abortOptions, (bounded) => read().owedImprovements(account, token, bounded)),
    blockNumber: (abortOptions) => run(abortOptions, (bounded) => read().blockNumber(bounded)),
    prepare: async (call, abortOptions) => {
      const target = write();
      return run(abortOptions, (bounded) => target.prepare(call, bounded));
    },
    broadcast: async (tx, abortOptions) => {
      const target = write();
      return run(abortOptions, (bounded) => target.broadcast(tx, bounded));
    },
  };
}
