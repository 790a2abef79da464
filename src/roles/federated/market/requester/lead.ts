import { mkdir, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type Abortable, linkSignals, raceSignal } from "../../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Hosting } from "../../../../ports/transport.ts";
import type { UploadLine } from "../../../../protocol/federated/ledger/ledger.ts";
import { memberOf } from "../../../../protocol/federated/market/fold.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import {
  type RoundMessage,
  type SeatPlace,
  updateMessageSchema,
} from "../../../../protocol/federated/market/messages.ts";
import { MODEL_FILE, updateLengthOf } from "../../../../protocol/federated/market/spec.ts";
import { federatedPriceOf } from "../../../../protocol/federated/market/terms.ts";
import { writeModel } from "../../../../protocol/federated/model-file.ts";
import { type Address, type Hex, type JobId, sameAddress } from "../../../../protocol/ids.ts";
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
import { type Correspondent, type Course, correspondentsOf, openCourse, packModel } from "./course.ts";
import { forgetRounds } from "./disk.ts";
import { type FederatedDraft, federatedDraftOf } from "./draft.ts";
import { emptyRoundFiles, type LeadFiles, leadFiles } from "./files.ts";
import { aggregateRound, digestBefore, measureLast } from "./round/aggregate.ts";
import { type Arrivals, openArrivals, updateNoticeOf, updatePath } from "./round/arrivals.ts";
import { type ClosedRound, closeBooks } from "./round/books.ts";
import { aggregateScores } from "./round/distil.ts";
import { courseOf } from "./round/redeal.ts";
import { drawSeats, Seats, takeClosedRound } from "./seats.ts";

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
        await handOver(context, journal, { course, job, board, seats, hosting, files }, limit);
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

/** Gives the seats what they aggregate rounds with, and each provider its part and the seats' addresses. */
async function handOver(
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
async function takeClosed(
  context: WorkerContext,
  journal: JobJournal,
  {
    draft,
    files,
    job,
    onRound,
  }: { draft: FederatedDraft; files: LeadFiles; job: FederatedJob; onRound: LeadOptions["onRound"] },
  options: Abortable,
): Promise<boolean> {
  const { market } = context;
  const isOver = (await market.now(options)) > job.deadline;
  using time = chainDeadline(isOver ? Number.POSITIVE_INFINITY : job.deadline, market, options.signal);
  using limit = linkSignals([time.signal], isOver ? FAREWELL_MS : undefined);
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

/** One round: hands out the model, collects updates, makes the next model, closes. */
async function leadRound(
  context: WorkerContext,
  journal: JobJournal,
  { place, members, hosting }: Course,
  {
    job,
    round,
    arrivals,
    board,
  }: { job: FederatedJob; round: number; arrivals: Arrivals; board: Board<RoundMessage> },
  options: Abortable,
): Promise<ClosedRound> {
  const { market } = context;
  const { draft, files } = place;
  const last = journal.outcome<ClosedRound>(`closing-${round - 1}`);
  const model = await packModel(context, journal, place, round, options);
  await hosting.add(model.blob);
  const sendBy = job.deadline - Math.floor(job.terms.roundWindow / 2);
  const begunAt = await market.now(options);
  board.show(round, (account) => {
    const member = members.find((one) => sameAddress(one.account, account));
    if (member === undefined) return undefined;
    if (member.out) return { round, ledger: [...(last?.lines ?? [])] };
    const work = {
      model: { root: model.blob.root, key: model.key, bytes: model.blob.size },
      ...(member.part && { part: member.part }),
      sendBy,
    };
    return { round, ledger: [...(last?.lines ?? [])], work };
  });
  const aggregated = await journal.step(`aggregate-${round}`, {
    // Which updates count is decided once; what they make is the same however often it is computed.
    prepare: () => arrivals.enough({ quorum: draft.file.federated.quorum, sendBy }),
    act: async (present) => {
      const memory = journal.outcome<{ memory: never }>(`aggregate-${round - 1}`)?.memory ?? {};
      const updates = present.map((account) => ({
        account,
        place: members.findIndex((one) => sameAddress(one.account, account)),
        path: updatePath(files, round, account),
      }));
      const parent = digestBefore(journal, draft, round);
      const aggregate = place.open === undefined ? aggregateRound : aggregateScores;
      return await aggregate(context, journal, place, { round, parent, updates, memory }, options);
    },
  });
  const next = await packModel(context, journal, place, round + 1, options);
  const closed = await journal.step(`closing-${round}`, {
    prepare: async (): Promise<ClosedRound> => {
      const present = aggregated.members.map(({ account }) => account);
      const uploads = present
        .map((account): UploadLine => {
          const { upload, signature } = updateNoticeOf(journal, round, account)!;
          return { upload, signature };
        })
        .toSorted((a, b) => (a.upload.provider < b.upload.provider ? -1 : 1));
      const finishedAt = await market.now(options);
      return closeBooks(market.ledgerDomainOf(job.id), draft, {
        ...{ round, members, uploads, aggregated },
        lead: context.account.toLowerCase() as Address,
        sign: (hash) => market.signRecord(hash),
        earned: last?.earned ?? [],
        previous: last?.closing.ledgerTip ?? NOTHING,
        parent: digestBefore(journal, draft, round),
        model: next.blob.root,
        times: { finishedAt, seconds: Math.max(0, finishedAt - begunAt) },
        bytes: new Map(
          uploads.map(({ upload: { provider } }) => [
            provider,
            updateNoticeOf(journal, round, provider)!.parcel.bytes,
          ]),
        ),
      });
    },
    act: (one) => one,
  });
  const idle = closed.members.every(({ upload }) => upload === NOTHING);
  const idleBefore = last?.members.every(({ upload }) => upload === NOTHING) ?? false;
  if (idle && idleBefore && !job.stopping)
    await unlessRefused(() =>
      transact(market, journal, { kind: "stopFederated", federated: job }, { ...options, name: "stop-idle" }),
    );
  const closing = { kind: "closeRound", federated: job, closing: closed.closing, approvals: [] } as const;
  await transact(market, journal, closing, { ...options, name: `close-${round}` });
  // The next round needs neither: they are only kept until the round is closed.
  for (const { account } of members) await rm(files.update(round, account), { recursive: true, force: true });
  await rm(files.rootUpdate(round), { force: true });
  hosting.remove(model.blob.root);
  await rm(files.parcel(round - 1), { force: true });
  await forgetRounds(files, round, draft.file.federated.keep);
  return closed;
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
  await writeFile(join(files.result, "job.ledger"), `${text}\n`);
}
