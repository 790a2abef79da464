import { mkdir, rename, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type Abortable, linkSignals, raceSignal } from "../../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { memberOf } from "../../../../protocol/federated/market/fold.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import { type RoundMessage, updateMessageSchema } from "../../../../protocol/federated/market/messages.ts";
import { MODEL_FILE, updateLengthOf } from "../../../../protocol/federated/market/spec.ts";
import { federatedPriceOf } from "../../../../protocol/federated/market/terms.ts";
import { writeModel } from "../../../../protocol/federated/model-file.ts";
import type { Address, Hex, JobId } from "../../../../protocol/ids.ts";
import type { BundleLocator } from "../../../../protocol/parcel/locator.ts";
import type { WorkerContext } from "../../../context.ts";
import { chainDeadline } from "../../../shared/chain-deadline.ts";
import { hostOnce } from "../../../shared/host-once.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { transact } from "../../../shared/transact.ts";
import { allowEscrow } from "../../../tokens.ts";
import { FileAggregation } from "../../aggregation/aggregate-files.ts";
import { readVector } from "../../aggregation/vector-file.ts";
import { tellDisputes } from "../dispute/tell.ts";
import { invitationsTo } from "../enlist.ts";
import { unlessRefused } from "../unless-refused.ts";
import { ROUND_NOTICES } from "../update-parcel.ts";
import { Board } from "./board.ts";
import { collectPay } from "./collect.ts";
import { type Correspondent, type Course, correspondentsOf, openCourse } from "./course.ts";
import { type FederatedDraft, federatedDraftOf } from "./draft.ts";
import { emptyRoundFiles, type LeadFiles, leadFiles } from "./files.ts";
import { handToSeats, takeClosed } from "./follow-seats.ts";
import { digestBefore, measureLast } from "./round/aggregate.ts";
import { type Arrivals, openArrivals } from "./round/arrivals.ts";
import type { ClosedRound } from "./round/books.ts";
import { leadRound } from "./round/lead-round.ts";
import { courseOf } from "./round/redeal.ts";
import { drawSeats, Seats } from "./seats.ts";

const NOTHING = `0x${"0".repeat(64)}` as Hex;
/** How long the hosts of a job that is over wait for providers to learn what they earned, milliseconds. */
const FAREWELL_MS = 120_000;

export interface LeadOptions {
  /** Post and stop: another process leads the job. */
  readonly detach?: boolean;
  /** Called once the job is posted, has begun, and after each round. */
  readonly onState?: (job: FederatedJob) => void;
  readonly onRound?: (closed: ClosedRound) => void;
}

/**
 * Leads a federated job from its draft to the end of its last round: posts, invites, deals the data, and in each round
 * hands out the model, collects and measures the updates, makes the next model and closes. Safe to stop and to call again
 * at any point. Resolves once the job has ended and its providers were told what they earned.
 * @throws JOB_NOT_OURS, JOB_BUSY, FEDERATED_TASK_FAILED
 */
export async function lead(
  context: WorkerContext,
  id: JobId,
  { onState, onRound, detach }: LeadOptions,
  options: Abortable,
): Promise<FederatedJob> {
  using _lock = context.lockJob(id, "federated-requester");
  const journal = context.journal.open("federated-requester", id);
  const draft = federatedDraftOf(journal);
  if (draft === undefined) throw jobIsNotOurs(id, context.account);
  const files = leadFiles(jobFolder(context.jobsDir, "federated-requester", id).dir);
  await emptyRoundFiles(files);
  const { market, account } = context;
  const board = new Board<RoundMessage>();
  const seats = draft.terms.seats > 0 ? new Seats(context, journal, draft) : undefined;
  const correspondents = await correspondentsOf(context, journal, draft, id, options);
  // A provider that was told of the round before a crash may send as soon as the host is back.
  const first = Promise.withResolvers<void>();
  let arrivals: Arrivals | undefined;
  await using hosted = hostOnce(
    context,
    "job",
    () => ({
      identity: draft.identity,
      blobs: [draft.bundle],
      readers: correspondents.map(({ party: { keys }, channel }) => ({
        ...keys,
        token: channel.token(draft.identity.endpoint.token),
      })),
      feeds: correspondents.map(({ party, channel }) => board.feedOf(party.account, channel)),
      maxNotices: ROUND_NOTICES * draft.terms.rounds,
      onNotice: async (_root, notice) => {
        // Providers tell the seats of their updates.
        if (seats) return await seats.take(notice, options);
        await raceSignal(first.promise, options.signal);
        await takeNotice(notice, correspondents, arrivals);
      },
    }),
    options,
  );
  // What takes the job over hosts it.
  if (!detach) await hosted.start();
  const posting = { kind: "postFederated", federated: draft, sealed: "0x" } as const;
  const { terms } = draft;
  if (journal.intent("post") === undefined)
    await allowEscrow(market, terms.token, federatedPriceOf(terms), { ...options, spender: "federated" });
  await transact(market, journal, posting, { ...options, name: "post" });
  if (detach) return market.federatedJob(id, options);
  const hosting = await hosted.start();
  await invite(context, journal, draft, id, options);
  await using aggregation = new FileAggregation(Math.min(2, availableParallelism()));
  let course: Course | undefined;
  let seen = "";
  for await (const job of market.followFederated(id, options)) {
    const state = `${job.state} ${job.members.length} ${job.closings.length}`;
    if (state !== seen) onState?.(job);
    seen = state;
    await tellDisputes(context, journal, job);
    if (job.state === "Enlisting") await beginInTime(context, journal, job, options);
    if (job.state === "Drawing") await drawSeats(context, journal, job, draft, options);
    const isWhole = !seats || (await takeClosed(context, journal, { draft, files, job, onRound }, options));
    if (job.state === "Running" && (await market.now(options)) > job.deadline) {
      const name = `expire-${job.closings.length}`;
      const call = { kind: "expireFederated", federated: job } as const;
      await unlessRefused(() => transact(market, journal, call, { ...options, name }));
    } else if (job.state === "Running" && seats) {
      if (course !== undefined) continue;
      course = await openCourse(context, journal, { draft, files, job, aggregation, hosting }, options);
      using limit = chainDeadline(job.deadline, market, options.signal);
      try {
        await handToSeats(context, journal, { course, job, board, seats, hosting, files }, limit);
      } catch (error) {
        options.signal.throwIfAborted();
        // Too few seats came for the job; it ends with its first round.
        if (!limit.expired) throw error;
      }
    } else if (job.state === "Running") {
      course ??= await openCourse(context, journal, { draft, files, job, aggregation, hosting }, options);
      const round = job.closings.length + 1;
      const over = new AbortController();
      using own = linkSignals([options.signal, over.signal]);
      const ofRound = await courseOf(context, journal, course, round, options);
      const { members } = ofRound;
      const parent = digestBefore(journal, draft, round);
      const spoken = members.flatMap(({ account: one, channel, out }) =>
        out ? [] : [{ account: one, channel }],
      );
      const parameters = updateLengthOf(draft.spec.federated);
      const of = { job: id, round, parent, parameters, members: spoken, files };
      arrivals = openArrivals(context, journal, of, own);
      first.resolve();
      // A round that could not be closed in time is expired at the next turn.
      await unlessRefused(async () => {
        const closed = await leadRound(
          context,
          journal,
          ofRound,
          { job, round, arrivals: arrivals!, board },
          options,
        );
        onRound?.(closed);
      });
      over.abort();
    }
    if (job.state !== "Ended") continue;
    if (!isWhole) {
      await journal.step("told", { prepare: () => null, act: () => true });
      await collectPay(context, journal, job, options);
      throw new IchainError(
        "FEDERATED_MODEL_GONE",
        `No validator of job ${id} serves its last model any more.`,
      );
    }
    if (job.closings.length > 0) {
      course ??= await openCourse(context, journal, { draft, files, job, aggregation, hosting }, options);
      await measureLast(context, journal, course.place, job.closings.length + 1, options);
    }
    if (seats) await writeResult(context, journal, { job, files, draft });
    else await farewell(context, journal, { job, board, files, draft }, options);
    if (seats) await journal.step("told", { prepare: () => null, act: () => true });
    await collectPay(context, journal, job, options);
    return job;
  }
  throw jobIsNotOurs(id, account);
}

/** Takes each notice to the provider whose channel opens it; of others nothing is kept. */
async function takeNotice(
  notice: Uint8Array,
  correspondents: readonly Correspondent[],
  arrivals: Arrivals | undefined,
): Promise<void> {
  for (const { party, channel } of correspondents) {
    try {
      const message = channel.open(notice, updateMessageSchema);
      return await arrivals?.take(party.account, channel, message);
    } catch (error) {
      if (!isIchainError(error, "FEDERATED_MESSAGE_INVALID")) throw error;
    }
  }
}

/** Begins once all places are taken, or with enough when the time to enlist is over; with fewer ends the job. */
async function beginInTime(
  { market }: WorkerContext,
  journal: JobJournal,
  job: FederatedJob,
  options: Abortable,
): Promise<void> {
  const { terms, members, deadline } = job;
  const now = await market.now(options);
  if (members.length < terms.places && now <= terms.enlistBy) return;
  if (members.length >= terms.least && now <= deadline)
    await transact(market, journal, { kind: "begin", federated: job }, options);
  else
    await unlessRefused(() =>
      transact(market, journal, { kind: "stopFederated", federated: job }, { ...options, name: "give-up" }),
    );
}

function jobIsNotOurs(id: JobId, account: Address): IchainError {
  return new IchainError(
    "JOB_NOT_OURS",
    `This home has no draft of job ${id}, or ${account} is not its requester.`,
  );
}

async function invite(
  context: WorkerContext,
  journal: JobJournal,
  draft: FederatedDraft,
  id: JobId,
  options: Abortable,
): Promise<void> {
  if (journal.outcome("invited") !== undefined) return;
  const job = await context.market.federatedJob(id, options);
  const locator: BundleLocator = {
    ...{ kind: "bundle", bundle: draft.identity.endpoint, bundleBytes: draft.bundle.size },
    ...{ bundleKey: draft.bundleKey, mask: NOTHING },
  };
  if (job.state === "Enlisting") {
    const calls = await invitationsTo(context, job, draft.invited, locator, options);
    for (const [i, call] of calls.entries())
      await transact(context.market, journal, call, { ...options, name: `invite-${i}` });
  }
  await journal.step("invited", { prepare: () => null, act: () => true });
}

/** Writes the result, and lets providers learn what they earned before the hosts end. */
async function farewell(
  context: WorkerContext,
  journal: JobJournal,
  {
    job,
    board,
    files,
    draft,
  }: { job: FederatedJob; board: Board<RoundMessage>; files: LeadFiles; draft: FederatedDraft },
  options: Abortable,
): Promise<void> {
  const rounds = job.closings.length;
  await writeResult(context, journal, { job, files, draft });
  if (rounds === 0 || journal.outcome("told") !== undefined) return;
  const last = journal.outcome<ClosedRound>(`closing-${rounds}`);
  board.show(rounds + 1, (account) =>
    memberOf(job, account) === undefined
      ? undefined
      : { round: rounds + 1, ledger: [...(last?.lines ?? [])] },
  );
  using limit = linkSignals([options.signal], FAREWELL_MS);
  // Those that never sent anything are not waited for.
  const earned = new Set(last?.earned.map(([account]) => account));
  const waiting = job.members
    .map(({ account }) => account)
    .filter((one) => earned.has(one.toLowerCase() as Address));
  await board.readByAll(waiting, rounds + 1, limit);
  options.signal.throwIfAborted();
  await journal.step("told", { prepare: () => null, act: () => true });
}

/** The last model, and the ledger of all rounds, in the job's folder. */
async function writeResult(
  { market }: WorkerContext,
  journal: JobJournal,
  { job, files, draft }: { job: FederatedJob; files: LeadFiles; draft: FederatedDraft },
): Promise<void> {
  const rounds = job.closings.length;
  await mkdir(files.result, { recursive: true, mode: 0o700 });
  const vector = readVector(files.model(rounds + 1), draft.spec.federated.parameters);
  await writeFile(join(files.result, MODEL_FILE), writeModel({ layout: draft.layout, vector }));
  const { start } = draft.spec.federated;
  const { escrow, chainId } = market.ledgerDomainOf(job.id);
  const header = {
    ledger: 1,
    chainId,
    escrow: escrow.toLowerCase(),
    job: job.id.toLowerCase(),
    name: draft.spec.name,
    start,
  };
  const lines = Array.from(
    { length: rounds },
    (_, i) => journal.outcome<ClosedRound>(`closing-${i + 1}`)?.lines ?? [],
  ).flat();
  const text = [JSON.stringify(header), ...lines].join("\n");
  const written = `${files.ledger}.part`;
  await writeFile(written, `${text}\n`);
  await rename(written, files.ledger);
}
