import { JsonRpcProvider } from "ethers";
import type { Abortable } from "../async/abort.ts";
import { decodeJobEvent } from "../chain/abi/decode.ts";
import { connectRpc } from "../chain/rpc/rpc.ts";
import type { NetworkConfig } from "../config/schema.ts";
import type { MarketReader } from "../ports/market.ts";
import type { Address, Hex, JobId } from "../protocol/ids.ts";
import { fold } from "../protocol/job/fold.ts";
import type { Job } from "../protocol/job/job.ts";
import { isFinal, type JobState } from "../protocol/job/state.ts";

/** When a job entered each of its states, milliseconds of `performance.now()`. */
export interface Timeline {
  readonly job: Job;
  readonly at: ReadonlyMap<JobState, number>;
}

/** Milliseconds between two polls of the devnet's chain: the resolution of a timeline. */
const LOOK_MS = 10;

/**
 * Records when each block of a devnet's chain appears. Blocks' own times are whole seconds, and polling jobs would miss
 * states.
 */
export class BlockClock {
  readonly #seen = new Map<number, number>();
  readonly #rpc: ReturnType<typeof connectRpc>;
  readonly #timer: NodeJS.Timeout;
  #newest = -1;
  #looking: Promise<void> | undefined;

  constructor(rpcUrl: string) {
    this.#rpc = connectRpc(rpcUrl);
    this.#timer = setInterval(() => {
      // Ignored: callers that use the chain report that it does not answer.
      this.#looking ??= this.#look()
        .catch(() => undefined)
        .finally(() => {
          this.#looking = undefined;
        });
    }, LOOK_MS);
  }

  /** When `block` appeared; for one from before the first poll, the time of that poll. */
  async at(block: number): Promise<number> {
    if (block > this.#newest) await this.#look();
    return this.#seen.get(block) ?? performance.now();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const newest = Number(await this.#rpc.send("eth_blockNumber", []));
    const now = performance.now();
    for (; this.#newest < newest; this.#newest++) this.#seen.set(this.#newest + 1, now);
  }
}

/** Follows the first job that `requester` posts to its end; `onState` is called for each state that is seen. */
export async function followFirstJob(
  market: MarketReader,
  requester: Address,
  onState: (job: Job) => void,
  { signal }: Abortable,
): Promise<Job> {
  let seen: JobState | undefined;
  for await (const job of market.watch({ requester }, { signal })) {
    if (job.state !== seen) onState(job);
    seen = job.state;
    if (isFinal(job.state)) return job;
  }
  throw signal.reason;
}

/** When the job entered its states, from the chain's events: polling would miss some. */
export async function statesOf(
  network: NetworkConfig,
  id: JobId,
  clock: BlockClock,
): Promise<Timeline["at"]> {
  const { escrow } = network.contracts;
  const provider = new JsonRpcProvider(network.rpcUrl, network.chainId, { staticNetwork: true });
  const at = new Map<JobState, number>();
  try {
    let job: Job | undefined;
    for (const log of await provider.getLogs({ address: escrow, topics: [null, id], fromBlock: 0 })) {
      const raw = { block: log.blockNumber, topics: log.topics as readonly Hex[], data: log.data as Hex };
      const event = decodeJobEvent(raw, BigInt(network.chainId), escrow);
      if (event !== undefined) job = fold(job, event);
      if (job !== undefined && !at.has(job.state)) at.set(job.state, await clock.at(log.blockNumber));
    }
  } finally {
    provider.destroy();
  }
  return at;
}

/** Seconds from one state to another, three decimals; undefined when the job was never in one of them. */
export function between({ at }: Timeline, from: JobState, to: JobState): number | undefined {
  const [start, end] = [at.get(from), at.get(to)];
  return start === undefined || end === undefined ? undefined : seconds(end - start);
}

export function seconds(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}
