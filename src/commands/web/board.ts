import { setImmediate as pause } from "node:timers/promises";
import type { Abortable } from "../../async/abort.ts";
import type { MarketReader } from "../../ports/market.ts";
import { type Address, type JobId, sameAddress } from "../../protocol/ids.ts";
import { type Job, seatOf } from "../../protocol/job/job.ts";
import { isFinal } from "../../protocol/job/state.ts";
import { roleIn } from "../steps/view.ts";

/** Newest jobs of the market that are kept whatever became of them. */
const RECENT = 20;

/** The market's jobs as this page needs them, kept as they change: reading all of them again for each view is slow. */
export interface MarketBoard {
  /** This account's, in any role, over ones too; the newest first. */
  own(): readonly Job[];
  /** Everybody's that are under way. */
  open(): readonly Job[];
  /** The newest of everybody's, the newest first. */
  recent(): readonly Job[];
}

type Watched = Pick<MarketReader, "jobs" | "watch" | "watchFederated">;

/** Reads all jobs; `follow` then keeps them until `signal` aborts, and calls `onChange` for each that changes. */
export async function openBoard(
  market: Watched,
  account: Address,
  options: Abortable,
): Promise<{
  readonly board: MarketBoard;
  follow(onChange: (id: JobId, isOwn: boolean) => void): Promise<void>;
}> {
  const kept = new Map<JobId, Job>();
  const seen = new Map<JobId, string>();
  let recent: Job[] = [];

  /** False where nothing has changed. */
  function take(job: Job): boolean {
    const sign = signOf(job);
    if (seen.get(job.id) === sign) return false;
    const isOwn = roleIn(job, account) !== undefined;
    if (isOwn || !isFinal(job.state)) {
      kept.set(job.id, job);
      seen.set(job.id, sign);
    } else {
      kept.delete(job.id);
      seen.delete(job.id);
    }
    recent = [job, ...recent.filter(({ id }) => id !== job.id)].toSorted(newestFirst).slice(0, RECENT);
    return true;
  }

  for (const job of await market.jobs({}, options)) take(job);
  return {
    board: {
      own: () => [...kept.values()].filter((job) => roleIn(job, account) !== undefined).toSorted(newestFirst),
      open: () => [...kept.values()].filter(({ state }) => !isFinal(state)),
      recent: () => recent,
    },
    async follow(onChange) {
      const jobs = async () => {
        for await (const job of market.watch({}, options)) {
          const wasKnown = kept.has(job.id);
          if (take(job) && (wasKnown || kept.has(job.id)))
            onChange(job.id, roleIn(job, account) !== undefined);
          // The present jobs come without a pause, and requests must be answered meanwhile.
          else await pause();
        }
      };
      const federated = (["requester", "provider", "validator"] as const).map(async (role) => {
        for await (const { id } of market.watchFederated({ [role]: account }, options)) onChange(id, true);
      });
      await Promise.all([jobs(), ...federated]);
    },
  };
}

/**
 * The market for commands that the page runs: the account's own jobs are those of the board, and what reads much lets
 * others have their turn.
 */
export function heldMarket(market: MarketReader, board: MarketBoard, account: Address): MarketReader {
  const held: Pick<MarketReader, "jobs" | "pastJobs"> = {
    async jobs(filter, options) {
      const [[role, party] = [], ...more] = Object.entries(filter);
      if (more.length > 0 || party === undefined || !sameAddress(party, account))
        return market.jobs(filter, options);
      const has = (job: Job): boolean =>
        role === "validator"
          ? seatOf(job, account) !== undefined
          : sameAddress(role === "requester" ? job.terms.requester : job.terms.provider, account);
      return board.own().filter(has).toReversed();
    },
    async *pastJobs(providers, options) {
      for await (const some of market.pastJobs(providers, options)) {
        await pause();
        yield some;
      }
    },
  };
  return Object.assign(Object.create(market) as MarketReader, held);
}

const newestFirst = (a: Job, b: Job): number => b.postedBlock - a.postedBlock;

/** Differs whenever something that is shown of the job does. */
function signOf({
  state,
  verdict,
  deadline,
  drawing,
  seeded,
  validations,
  providerMeasurement,
}: Job): string {
  const seats = validations.map(
    ({ validator, commitment, measurement, abstained }) =>
      `${validator}${commitment !== undefined}${measurement !== undefined}${abstained}`,
  );
  return [state, verdict, deadline, drawing, seeded, providerMeasurement !== undefined, ...seats].join(" ");
}
