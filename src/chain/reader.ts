import type { AbortOptions } from "../async/abort.ts";
import { retryUnavailable } from "../async/retry.ts";
import { IchainError, isIchainError } from "../errors/error.ts";
import type { MarketReader } from "../ports/market.ts";
import type { TokenInfo } from "../protocol/amounts.ts";
import { campaignInstantsOf, isCampaignFinal } from "../protocol/campaign/campaign.ts";
import { federatedInstantsOf, isFederatedFinal } from "../protocol/federated/market/exits.ts";
import { type Address, type Hex, isHex, type JobId, ZERO_ADDRESS } from "../protocol/ids.ts";
import { instantsOf } from "../protocol/job/exits.ts";
import type { Job } from "../protocol/job/job.ts";
import { isFinal } from "../protocol/job/state.ts";
import { artifactOf } from "./abi/artifacts.ts";
import { spenderAddress } from "./abi/encode-account.ts";
import { campaignsOf } from "./abi/encode-campaign.ts";
import { federatedEscrowOf } from "./abi/encode-federated.ts";
import { improvementsOf } from "./abi/encode-improvement.ts";
import type { Addresses } from "./addresses.ts";
import type { Database } from "./database.ts";
import { followJob } from "./follow.ts";
import { openCampaignIndex } from "./indexer/campaigns.ts";
import { openFederatedIndex } from "./indexer/federated.ts";
import { openJobIndex } from "./indexer/jobs.ts";
import { openOffers } from "./indexer/offers.ts";
import { openRecordIndex } from "./indexer/records.ts";
import { openIndexStore } from "./indexer/store.ts";
import { createSync } from "./indexer/sync.ts";
import { verifyKeys } from "./keys.ts";
import { type Block, readNonce } from "./rpc/blocks.ts";
import type { Clock } from "./rpc/clock.ts";
import { bindContract } from "./rpc/contract.ts";
import { readDataFee } from "./rpc/data-fee.ts";
import { currentFees, type FeeCaps } from "./rpc/fees.ts";
import type { Heads } from "./rpc/heads.ts";
import { measurePace } from "./rpc/pace.ts";
import { answered, parseQuantity } from "./rpc/quantities.ts";
import type { Rpc } from "./rpc/rpc.ts";
import { askWord, readToken } from "./tokens/read.ts";

export interface ReaderOptions {
  readonly rpc: Rpc;
  readonly heads: Heads;
  readonly clock: Clock;
  readonly db: Database;
  readonly chainId: bigint;
  readonly addresses: Addresses;
  readonly confirmations: number;
  readonly fees: FeeCaps;
  readonly dataFee?: "op-stack" | undefined;
}

export type ChainReader = Omit<
  MarketReader,
  "jobIdOf" | "federatedJobIdOf" | "campaignIdOf" | "ledgerDomainOf" | "isSigned" | "unsigned"
>;

/** The read side of the market: every read first brings the index up to date. */
export function createReader(options: ReaderOptions): ChainReader {
  const { rpc, heads, clock, db, chainId, addresses, confirmations, fees, dataFee } = options;
  const escrow = bindContract(rpc, addresses.escrow, artifactOf("JobEscrow").abi);
  const registry = bindContract(rpc, addresses.registry, artifactOf("ProviderRegistry").abi);
  const store = openIndexStore(db, addresses);
  const jobs = openJobIndex(db, chainId, addresses.escrow);
  const federatedJobs = openFederatedIndex(db, chainId, addresses.federated);
  const campaigns = openCampaignIndex(db, chainId, addresses.campaigns);
  const records = openRecordIndex(db, { ...addresses, chainId });
  const offers = openOffers(db, registry);
  const sync = createSync({ rpc, store, addresses, confirmations });
  /** Constant of the registry. */
  let poolStake: bigint | undefined;
  /** As they were when first read: a token that changes its decimals must not change what an amount means. */
  const tokens = new Map<Address, TokenInfo>();
  const cursor = () => store.cursor()?.number ?? 0;

  const load = async (id: JobId, head: Block, abortOptions: AbortOptions): Promise<Job | undefined> => {
    await sync(head, abortOptions);
    return jobs.find(id);
  };
  const known = async (id: JobId, abortOptions: AbortOptions): Promise<Job> => {
    const job = await load(id, await heads.read(abortOptions), abortOptions);
    if (job === undefined) throw unknown(id);
    return job;
  };
  const fresh = async (abortOptions: AbortOptions): Promise<Block> => {
    const head = await heads.read(abortOptions);
    await sync(head, abortOptions);
    return head;
  };

  return {
    chainPace: measurePace(rpc, heads, options),
    async now(abortOptions) {
      try {
        return await clock.now(await heads.read(abortOptions), abortOptions);
      } catch (error) {
        abortOptions?.signal?.throwIfAborted();
        // Deadlines pass while no node answers: estimate from the last head.
        const estimated = clock.estimated();
        if (estimated === undefined || !isIchainError(error) || !error.retryable) throw error;
        return estimated;
      }
    },
    async balance(account, abortOptions) {
      return answered(
        parseQuantity,
        await rpc.send("eth_getBalance", [account, "latest"], abortOptions),
        "a balance",
      );
    },
    sentBy: (account, which, abortOptions = {}) =>
      readNonce(rpc, account, which === "mined" ? "latest" : "pending", abortOptions),
    async token(address, abortOptions = {}) {
      const known = tokens.get(address);
      if (known !== undefined) return known;
      const token = await readToken(rpc, address, abortOptions);
      tokens.set(address, token);
      return token;
    },
    async tokenFunds(account, token, { spender, ...abortOptions } = {}) {
      const escrowOf = spenderAddress(spender, addresses);
      const [balance, allowance] = await Promise.all([
        askWord(rpc, token, "balanceOf", [account], abortOptions),
        askWord(rpc, token, "allowance", [account, escrowOf], abortOptions),
      ]);
      return { balance: balance ?? 0n, allowance: allowance ?? 0n };
    },
    owed: async (account, token, abortOptions) =>
      (await escrow.read("owed", [account, token], abortOptions ?? {}))[0] as bigint,
    poolStake: async (abortOptions = {}) => {
      poolStake ??= (await registry.read("POOL_STAKE", [], abortOptions))[0] as bigint;
      return poolStake;
    },
    async leaving(account, abortOptions = {}) {
      const [amount, availableAt] = await registry.read("leaving", [account], abortOptions);
      return { amount: amount as bigint, availableAt: Number(availableAt) };
    },
    async ownership(account, abortOptions = {}) {
      const [owner, payee, offered] = await registry.read("ownershipOf", [account], abortOptions);
      const offeredTo = offered === ZERO_ADDRESS ? undefined : (offered as Address);
      return { owner: owner as Address, payee: payee as Address, offeredTo };
    },
    gasPrice: async (abortOptions) => (await currentFees(rpc, fees, abortOptions)).max,
    dataFee: async (sizes, abortOptions) =>
      dataFee === undefined ? 0n : readDataFee(rpc, sizes, abortOptions),
    async *offers(abortOptions = {}) {
      await fresh(abortOptions);
      await offers.refresh(cursor(), abortOptions);
      for (const { offer } of offers.all()) {
        abortOptions.signal?.throwIfAborted();
        yield offer;
      }
    },
    async offer(account, abortOptions = {}) {
      await fresh(abortOptions);
      await offers.refresh(cursor(), abortOptions);
      const signed = offers.find(account);
      if (signed !== undefined)
        await verifyKeys(signed, { chainId, registry: addresses.registry }, rpc, abortOptions);
      return signed?.offer;
    },
    job: (id, abortOptions = {}) => known(id, abortOptions),
    async jobs(filter, abortOptions = {}) {
      const head = await fresh(abortOptions);
      const found: Job[] = [];
      for (const { id } of jobs.changed(filter, 0)) {
        const job = await load(id, head, abortOptions);
        if (job !== undefined) found.push(job);
      }
      return found.sort((a, b) => a.postedBlock - b.postedBlock);
    },
    async *pastJobs(providers, abortOptions = {}) {
      await fresh(abortOptions);
      for (const provider of providers) {
        abortOptions.signal?.throwIfAborted();
        yield records(provider);
      }
    },
    resolveJob: (prefix, abortOptions = {}) => resolve(jobs, prefix, abortOptions),
    async *follow(id, abortOptions = {}) {
      await known(id, abortOptions);
      const rules = { instantsOf, isFinal: ({ state }: Job) => isFinal(state) };
      yield* followJob({ heads, clock, index: jobs, sync, ...rules }, id, abortOptions);
    },
    watch: (filter, abortOptions = {}) => watchIndex(jobs, filter, abortOptions),
    async federatedJob(id, abortOptions = {}) {
      await fresh(abortOptions);
      const job = federatedJobs.find(id);
      if (job === undefined) throw unknown(id);
      return job;
    },
    async federatedJobs(filter, abortOptions = {}) {
      await fresh(abortOptions);
      const found = federatedJobs.changed(filter, 0).flatMap(({ id }) => federatedJobs.find(id) ?? []);
      return found.sort((a, b) => a.block - b.block);
    },
    resolveFederatedJob: (prefix, abortOptions = {}) => resolve(federatedJobs, prefix, abortOptions),
    async *followFederated(id, abortOptions = {}) {
      await fresh(abortOptions);
      if (federatedJobs.find(id) === undefined) throw unknown(id);
      const rules = { instantsOf: federatedInstantsOf, isFinal: isFederatedFinal };
      yield* followJob({ heads, clock, index: federatedJobs, sync, ...rules }, id, abortOptions);
    },
    watchFederated: (filter, abortOptions = {}) => watchIndex(federatedJobs, filter, abortOptions),
    async owedFederated(account, token, abortOptions = {}) {
      const { abi } = artifactOf("FederatedEscrow");
      const contract = bindContract(rpc, federatedEscrowOf(addresses), abi);
      return (await contract.read("owed", [account, token], abortOptions))[0] as bigint;
    },
    async campaign(id, abortOptions = {}) {
      await fresh(abortOptions);
      const campaign = campaigns.find(id);
      if (campaign === undefined) throw unknownCampaign(id);
      return campaign;
    },
    async campaigns(filter, abortOptions = {}) {
      await fresh(abortOptions);
      const found = campaigns.changed(filter, 0).flatMap(({ id }) => campaigns.find(id) ?? []);
      return found.sort((a, b) => a.block - b.block);
    },
    resolveCampaign: (prefix, abortOptions = {}) =>
      resolve(campaigns, prefix, abortOptions, { none: unknownCampaign, several: ambiguousCampaign }),
    async *followCampaign(id, abortOptions = {}) {
      await fresh(abortOptions);
      if (campaigns.find(id) === undefined) throw unknownCampaign(id);
      const rules = { instantsOf: campaignInstantsOf, isFinal: isCampaignFinal };
      yield* followJob({ heads, clock, index: campaigns, sync, ...rules }, id, abortOptions);
    },
    watchCampaigns: (filter, abortOptions = {}) => watchIndex(campaigns, filter, abortOptions),
    async owedCampaigns(account, token, abortOptions = {}) {
      const contract = bindContract(rpc, campaignsOf(addresses), artifactOf("DataCampaign").abi);
      return (await contract.read("owed", [account, token], abortOptions))[0] as bigint;
    },
    async improvementPanel(campaign, abortOptions = {}) {
      const contract = bindContract(rpc, improvementsOf(addresses), artifactOf("ImprovementMarket").abi);
      const [seats] = await contract.read("seatsOf", [campaign], abortOptions);
      return (seats as { readonly member: Address }[]).map(({ member }) => member);
    },
    async owedImprovements(account, token, abortOptions = {}) {
      const contract = bindContract(rpc, improvementsOf(addresses), artifactOf("ImprovementMarket").abi);
      return (await contract.read("owed", [account, token], abortOptions))[0] as bigint;
    },
    blockNumber: async (abortOptions = {}) => (await heads.recent(abortOptions)).number,
  };

  async function resolve(
    index: { startingWith(prefix: Hex, limit: number): JobId[] },
    prefix: string,
    abortOptions: AbortOptions,
    { none, several } = { none: unknown, several: ambiguous },
  ): Promise<JobId> {
    const digits = prefix.toLowerCase().replace(/^0x/, "");
    if (!/^[0-9a-f]{1,64}$/.test(digits)) throw none(prefix);
    await fresh(abortOptions);
    const [first, second] = index.startingWith(`0x${digits}`, 2);
    if (first === undefined) throw none(prefix);
    if (second !== undefined) throw several(prefix);
    return first;
  }

  async function* watchIndex<J, Filter>(
    index: WatchedIndex<J, Filter>,
    filter: Filter,
    abortOptions: AbortOptions,
  ): AsyncIterable<J> {
    // Daemons wait here, so no outage of the node may end it.
    const withoutLimit = <T>(work: () => Promise<T>) =>
      retryUnavailable(work, abortOptions, Number.POSITIVE_INFINITY);
    for (let seen = 0; ; ) {
      const head = await withoutLimit(() => heads.recent(abortOptions));
      await withoutLimit(() => sync(head, abortOptions));
      for (const { id, touched } of index.changed(filter, seen)) {
        seen = touched;
        await withoutLimit(() => sync(head, abortOptions));
        const job = index.find(id);
        if (job !== undefined) yield job;
      }
      await withoutLimit(() => heads.changed(head.hash, abortOptions));
    }
  }
}

/** What an index of jobs, of one kind or the other, must say to be watched. */
interface WatchedIndex<J, Filter> {
  find(id: JobId): J | undefined;
  changed(filter: Filter, touched: number): { readonly id: JobId; readonly touched: number }[];
}

function unknown(id: string): IchainError {
  return new IchainError(
    "JOB_UNKNOWN",
    `No job ${isHex(id, 32) ? id : `that begins with ${id.slice(0, 70)}`} is on the chain.`,
  );
}

function ambiguous(prefix: Hex | string): IchainError {
  return new IchainError("JOB_AMBIGUOUS", `Several jobs begin with ${prefix}.`);
}

function unknownCampaign(id: string): IchainError {
  return new IchainError(
    "CAMPAIGN_UNKNOWN",
    `No data campaign ${isHex(id, 32) ? id : `that begins with ${id.slice(0, 70)}`} is on the chain.`,
  );
}

function ambiguousCampaign(prefix: Hex | string): IchainError {
  return new IchainError("CAMPAIGN_AMBIGUOUS", `Several data campaigns begin with ${prefix}.`);
}
