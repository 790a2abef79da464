import { type Abortable, linkSignals } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Hosting } from "../../../../ports/transport.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { RoundMessage, SeatPlace } from "../../../../protocol/federated/market/messages.ts";
import { sameAddress } from "../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../context.ts";
import { chainDeadline } from "../../../shared/chain-deadline.ts";
import type { Board } from "./board.ts";
import { type Course, packModel } from "./course.ts";
import type { FederatedDraft } from "./draft.ts";
import type { LeadFiles } from "./files.ts";
import type { ClosedRound } from "./round/books.ts";
import { type Seats, takeClosedRound } from "./seats.ts";

/** How long seats of a job that is over are asked for what they closed, milliseconds. */
const LAST_MS = 120_000;

/** Gives the seats what they aggregate rounds with, and each provider its part and the seats' addresses. */
export async function handToSeats(
  context: WorkerContext,
  journal: JobJournal,
  {
    course: { place, members },
    job,
    board,
    seats,
    hosting,
    files,
  }: {
    readonly course: Course;
    readonly job: FederatedJob;
    readonly board: Board<RoundMessage>;
    readonly seats: Seats;
    readonly hosting: Hosting;
    readonly files: LeadFiles;
  },
  options: Abortable,
): Promise<void> {
  const start = await packModel(context, journal, place, 1, options);
  await hosting.add(start.blob);
  const places = await seats.open(job, { hosting, files }, options);
  const model = { root: start.blob.root, key: start.key, bytes: start.blob.size };
  const sendBy = job.deadline - Math.floor(job.terms.roundWindow / 2);
  board.show(1, (account) => {
    const member = members.find((one) => sameAddress(one.account, account));
    return member && { round: 1, ledger: [], work: { model, part: member.part, sendBy }, seats: [...places] };
  });
}

/** Takes the rounds that seats have closed since; false where none of them tells of one in time. */
export async function takeClosed(
  context: WorkerContext,
  journal: JobJournal,
  {
    draft,
    files,
    job,
    onRound,
  }: {
    draft: FederatedDraft;
    files: LeadFiles;
    job: FederatedJob;
    onRound: ((closed: ClosedRound) => void) | undefined;
  },
  options: Abortable,
): Promise<boolean> {
  const { market } = context;
  const isOver = (await market.now(options)) > job.deadline;
  using time = chainDeadline(isOver ? Number.POSITIVE_INFINITY : job.deadline, market, options.signal);
  using limit = linkSignals([time.signal], isOver ? LAST_MS : undefined);
  const seats = journal.outcome<readonly SeatPlace[]>("seats") ?? [];
  for (let round = 1; round <= job.closings.length; round++) {
    if (journal.outcome(`closing-${round}`) !== undefined) continue;
    try {
      onRound?.(await takeClosedRound(context, journal, { draft, files, job, round, seats }, limit));
    } catch (error) {
      options.signal.throwIfAborted();
      if (!limit.signal.aborted) throw error;
      return false;
    }
  }
  return true;
}
