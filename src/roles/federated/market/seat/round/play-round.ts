import { type Abortable, aborted } from "../../../../../async/abort.ts";
import { retryTransient } from "../../../../../async/retry.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import type { Address } from "../../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../../context.ts";
import { chainDeadline } from "../../../../shared/chain-deadline.ts";
import { noteAndReport, retryText } from "../../../../shared/note.ts";
import { answerPeer } from "./answer-peer.ts";
import { leadSeatRound } from "./lead-round.ts";
import { type Seat, type SeatRound, sendByOf } from "./seat.ts";

/**
 * One round of a seat, until `options.signal` aborts because it is over: leads when it is its turn, and answers the others
 * on theirs. The seats' turns go round with the rounds; one whose proposal is not closed in time is followed by the next.
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
  const turnOf = (one: Address) =>
    (order.indexOf(one) + order.length - ((round - 1) % order.length)) % order.length;
  const untilTurn = async (one: Address) => {
    if (turnOf(one) === 0) return;
    const wait = Math.floor((turnOf(one) * job.terms.roundWindow) / (4 * order.length));
    using clock = chainDeadline(sendByOf(job) + wait, context.market, options.signal);
    await aborted(clock.signal);
    options.signal.throwIfAborted();
  };
  const isFirst = turnOf(account) === 0;
  const parts = [
    () => leadSeatRound(context, journal, seat, { ...state, isFirst }, options),
    ...peers.map((peer) => () => answerPeer(context, journal, seat, state, peer, options)),
  ];
  await Promise.all(
    [account, ...peers.map((peer) => peer.account)].map((one, i) =>
      explained(
        context,
        journal,
        round,
        async () => {
          await untilTurn(one);
          await parts[i]!();
        },
        options,
      ),
    ),
  );
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
