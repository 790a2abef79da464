import { type Abortable, aborted, raceSignal } from "../../../../../async/abort.ts";
import { retryTransient } from "../../../../../async/retry.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import { poolTimes } from "../../../../../protocol/gossip/job-pool.ts";
import type { Address } from "../../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../../context.ts";
import { chainDeadline } from "../../../../shared/chain-deadline.ts";
import { noteAndReport, retryText } from "../../../../shared/note.ts";
import { Silence, turnsOf } from "../turns.ts";
import { answerPeer } from "./answer-peer.ts";
import { leadSeatRound } from "./lead-round.ts";
import { type Seat, type SeatRound, sendByOf } from "./seat.ts";

/** How often it is looked whether others are silent, milliseconds. */
const LOOK_MS = 1000;

/**
 * One round of a seat, until `options.signal` aborts because it is over: leads when it is its turn, and answers the others
 * on theirs. The seats' turns go round with the rounds; one that tells no list though the updates are here, or whose
 * proposal is not closed in time, is followed by the next.
 */
export async function playSeatRound(
  context: WorkerContext,
  journal: JobJournal,
  seat: Seat,
  state: SeatRound,
  options: Abortable,
): Promise<void> {
  const { job, round } = state;
  const { order, peers, account } = seat;
  const isFirst = turnsIn(job, round, order)[0] === account;
  const parts = [
    [account, () => leadSeatRound(context, journal, seat, { ...state, isFirst }, options)] as const,
    ...peers.map((peer) => {
      const answer = () => answerPeer(context, journal, seat, state, peer, options);
      return [peer.account, answer] as const;
    }),
  ];
  await Promise.all(
    parts.map(([one, play]) =>
      explained(
        context,
        journal,
        round,
        async () => {
          await untilHandedOver(context, state, options);
          await untilTurn(context, journal, { seat, state, one }, options);
          await play();
        },
        options,
      ),
    ),
  );
}

/** The seats as their turns come in a round of this job. */
function turnsIn({ closings }: SeatRound["job"], round: number, order: readonly Address[]) {
  return turnsOf(order, round, closings[round - 2]?.signers);
}

/**
 * Resolves when the seat `one` may lead: the first at once, another when those before it had their share of the second half
 * of the window, or are silent (`Silence`).
 */
export async function untilTurn(
  { market }: Pick<WorkerContext, "market">,
  journal: Pick<JobJournal, "outcome">,
  {
    seat: { order, account },
    state: { job, round, place, arrivals },
    one,
  }: {
    readonly seat: Pick<Seat, "order" | "account">;
    readonly state: Pick<SeatRound, "job" | "round" | "arrivals"> & {
      readonly place: { readonly draft: Pick<SeatRound["place"]["draft"], "file"> };
    };
    readonly one: Address;
  },
  { signal }: Abortable,
): Promise<void> {
  const turns = turnsIn(job, round, order);
  const turn = turns.indexOf(one);
  if (turn === 0) return;
  const wait = Math.floor((turn * job.terms.roundWindow) / (4 * order.length));
  using clock = chainDeadline(sendByOf(job) + wait, market, signal);
  const before = turns.slice(0, turn);
  const untilSilent = async () => {
    // It leads itself, and says so of itself.
    if (before.includes(account)) return await aborted(clock.signal);
    const { quorum } = place.draft.file.federated;
    await arrivals.enough({ quorum, sendBy: sendByOf(job) });
    const silence = new Silence(journal, round);
    const places = before.map((each) => order.indexOf(each));
    for (let seconds = 0; !silence.isOver(places, seconds); seconds += LOOK_MS / 1000)
      await raceSignal(aborted(clock.signal), clock.signal, LOOK_MS);
  };
  await Promise.race([aborted(clock.signal), untilSilent().catch(() => aborted(clock.signal))]);
  signal.throwIfAborted();
}

/** Resolves when a pool's peers begin to hand over; at once in other jobs. */
async function untilHandedOver(
  { market }: Pick<WorkerContext, "market">,
  { job: { terms }, place }: Pick<SeatRound, "job" | "place">,
  { signal }: Abortable,
): Promise<void> {
  const pool = place.draft.spec.federated.gossip;
  if (pool === undefined || pool.period === 0) return;
  using clock = chainDeadline(poolTimes(pool, terms).until, market, signal);
  await aborted(clock.signal);
  signal.throwIfAborted();
}

/** Goes on where this seat cannot; says why. */
async function explained(
  context: WorkerContext,
  journal: JobJournal,
  round: number,
  work: () => Promise<void>,
  { signal }: Abortable,
): Promise<void> {
  try {
    const warn = (error: Error, pause: number) =>
      context.reporter.emit({ kind: "warn", text: retryText(error, pause) });
    await retryTransient(work, warn, { signal });
  } catch (error) {
    if (signal.aborted) return;
    const why = error instanceof Error ? error.message : String(error);
    noteAndReport(context, journal, `round ${round}: ${why}`, "warn");
  }
}
