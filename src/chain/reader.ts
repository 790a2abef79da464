import { IchainError, isIchainError } from "../errors/error.ts";
import type { JobFilter, MarketReader, Waits } from "../ports/market.ts";
import { type Hex, isHex, type JobId } from "../protocol/ids.ts";
import type { Job } from "../protocol/job/job.ts";
import { artifactOf } from "./abi/artifacts.ts";
import type { Addresses } from "./addresses.ts";
import type { Database } from "./database.ts";
import { followJob } from "./follow.ts";
import { openJobIndex } from "./indexer/jobs.ts";
import { openOffers } from "./indexer/offers.ts";
import { openIndexStore } from "./indexer/store.ts";
import { createSync } from "./indexer/sync.ts";
import { verifyKeys } from "./keys.ts";
import type { Block } from "./rpc/blocks.ts";
import type { Clock } from "./rpc/clock.ts";
import { bindContract } from "./rpc/contract.ts";
import { currentFees, type FeeCaps } from "./rpc/fees.ts";
import type { Heads } from "./rpc/heads.ts";
import { measurePace } from "./rpc/pace.ts";
import { answered, parseQuantity } from "./rpc/quantities.ts";
import { retryUnavailable } from "./rpc/retry-unavailable.ts";
import type { Rpc } from "./rpc/rpc.ts";

export interface ReaderOptions {
  readonly rpc: Rpc;
  readonly heads: Heads;
  readonly clock: Clock;
  readonly db: Database;
  readonly chainId: bigint;
  readonly addresses: Addresses;
  readonly confirmations: number;
  readonly fees: FeeCaps;
}

export type ChainReader = Omit<MarketReader, "jobIdOf">;

/** The market as the chain tells it, through the index; every read first brings the index up to date. */
export function createReader(options: ReaderOptions): ChainReader {
  const { rpc, heads, clock, db, chainId, addresses, confirmations, fees } = options;
  const escrow = bindContract(rpc, addresses.escrow, artifactOf("JobEscrow").abi);
  const registry = bindContract(rpc, addresses.registry, artifactOf("ProviderRegistry").abi);
  const store = openIndexStore(db, addresses);
  const jobs = openJobIndex(db, chainId, addresses.escrow);
  const offers = openOffers(db, registry);
  const sync = createSync({ rpc, store, addresses, confirmations });
  /** Fixed when the registry was deployed. */
  let poolStake: bigint | undefined;
  const cursor = () => store.cursor()?.number ?? 0;

  const load = async (id: JobId, head: Block, waits: Waits): Promise<Job | undefined> => {
    await sync(head, waits);
    return jobs.find(id);
  };
  const known = async (id: JobId, waits: Waits): Promise<Job> => {
    const job = await load(id, await heads.read(waits), waits);
    if (job === undefined) throw unknown(id);
    return job;
  };
  const fresh = async (waits: Waits): Promise<Block> => {
    const head = await heads.read(waits);
    await sync(head, waits);
    return head;
  };

  return {
    chainPace: measurePace(rpc, heads, options),
    async now(waits) {
      try {
        return await clock.now(await heads.read(waits), waits);
      } catch (error) {
        waits?.signal?.throwIfAborted();
        // A deadline passes whether or not a node says so.
        const reckoned = clock.reckoned();
        if (reckoned === undefined || !isIchainError(error) || !error.retryable) throw error;
        return reckoned;
      }
    },
    async balance(account, waits) {
      return answered(
        parseQuantity,
        await rpc.send("eth_getBalance", [account, "latest"], waits),
        "a balance",
      );
    },
    owed: async (account, token, waits) =>
      (await escrow.read("owed", [account, token], waits ?? {}))[0] as bigint,
    poolStake: async (waits = {}) => {
      poolStake ??= (await registry.read("POOL_STAKE", [], waits))[0] as bigint;
      return poolStake;
    },
    async leaving(account, waits = {}) {
      const [amount, availableAt] = await registry.read("leaving", [account], waits);
      return { amount: amount as bigint, availableAt: Number(availableAt) };
    },
    gasPrice: async (waits) => (await currentFees(rpc, fees, waits)).max,
    async *offers(waits = {}) {
      await fresh(waits);
      await offers.refresh(cursor(), waits);
      for (const { offer } of offers.all()) {
        waits.signal?.throwIfAborted();
        yield offer;
      }
    },
    async offer(account, waits = {}) {
      await fresh(waits);
      await offers.refresh(cursor(), waits);
      const signed = offers.find(account);
      if (signed !== undefined)
        await verifyKeys(signed, { chainId, registry: addresses.registry }, rpc, waits);
      return signed?.offer;
    },
    job: (id, waits = {}) => known(id, waits),
    async jobs(filter, waits = {}) {
      const head = await fresh(waits);
      const found: Job[] = [];
      for (const { id } of jobs.changed(filter, 0)) {
        const job = await load(id, head, waits);
        if (job !== undefined) found.push(job);
      }
      return found.sort((a, b) => a.postedBlock - b.postedBlock);
    },
    async resolveJob(prefix, waits = {}) {
      const digits = prefix.toLowerCase().replace(/^0x/, "");
      if (!/^[0-9a-f]{1,64}$/.test(digits)) throw unknown(prefix);
      await fresh(waits);
      const [first, second] = jobs.startingWith(`0x${digits}`, 2);
      if (first === undefined) throw unknown(prefix);
      if (second !== undefined) throw ambiguous(prefix);
      return first;
    },
    async *follow(id, waits = {}) {
      await known(id, waits);
      yield* followJob({ heads, clock, jobs, sync }, id, waits);
    },
    watch: (filter, waits = {}) => watchJobs(filter, waits),
  };

  async function* watchJobs(filter: JobFilter, waits: Waits): AsyncIterable<Job> {
    // A daemon lives on this: no outage of the node ends it.
    const forEver = <T>(work: () => Promise<T>) => retryUnavailable(work, waits, Number.POSITIVE_INFINITY);
    for (let seen = 0; ; ) {
      const head = await forEver(() => heads.recent(waits));
      await forEver(() => sync(head, waits));
      for (const { id, touched } of jobs.changed(filter, seen)) {
        seen = touched;
        const job = await forEver(() => load(id, head, waits));
        if (job !== undefined) yield job;
      }
      await forEver(() => heads.changed(head.hash, waits));
    }
  }
}

function unknown(id: string): IchainError {
  return new IchainError(
    `No job ${isHex(id, 32) ? id : `that begins with ${id.slice(0, 70)}`} is on the chain.`,
    {
      code: "JOB_UNKNOWN",
      class: "usage",
      hint: "List the jobs with `ichain jobs`; a new one appears after a few blocks.",
    },
  );
}

function ambiguous(prefix: Hex | string): IchainError {
  return new IchainError(`Several jobs begin with ${prefix}.`, {
    code: "JOB_AMBIGUOUS",
    class: "usage",
    hint: "Give a few more digits of the job's id.",
  });
}
