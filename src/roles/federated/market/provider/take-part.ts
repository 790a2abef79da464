import { rm } from "node:fs/promises";
import { type Abortable, linkSignals } from "../../../../async/abort.ts";
import { retryTransient } from "../../../../async/retry.ts";
import { isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { OwnerNotifier } from "../../../../ports/notifier.ts";
import type { HostIdentity } from "../../../../ports/transport.ts";
import { type FederatedJob, isContested } from "../../../../protocol/federated/market/job.ts";
import type { JobId } from "../../../../protocol/ids.ts";
import type { Refusal } from "../../../../protocol/policy/refusal.ts";
import { forJob, type WorkerContext } from "../../../context.ts";
import type { Duty } from "../../../daemon/daemon.ts";
import type { ProviderSetup } from "../../../job/provider/accept.ts";
import { hostOnce } from "../../../shared/host-once.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { noteAndReport, retryText } from "../../../shared/note.ts";
import { transact } from "../../../shared/transact.ts";
import { moveDisputesOn } from "../dispute/move-on.ts";
import { tellDisputes } from "../dispute/tell.ts";
import { unlessRefused } from "../unless-refused.ts";
import { answerStrike } from "./answer-strike.ts";
import { type Enlisted, enlist, isRefused } from "./enlist.ts";
import { LastToAnswer, leadsOf, readerOf } from "./leads.ts";
import { settleUp } from "./settle.ts";
import { type RoundContext, takeRound, updatesOf } from "./take-round.ts";

/** A provider's owner is told where a strike needs it. */
type ProviderContext = WorkerContext & { readonly notifier: OwnerNotifier };

/** What `ichain provide` does with federated jobs: it takes part in those that this account is invited to. */
export function federatedProviderDuty(context: ProviderContext, setup: ProviderSetup): Duty<FederatedJob> {
  const { market, account } = context;
  return {
    role: "federated-provider",
    watch: (options) => market.watchFederated({ invited: account }, options),
    wants: ({ state }) => state === "Enlisting",
    work: (id, options) => takePart(forJob(context, id), id, setup, options),
    giveUp: (id) => leaveJob(forJob(context, id), id),
  };
}

/** A federated job from its invitation to its pay, as one of its providers; safe to call again after a crash at any point. */
async function takePart(
  context: ProviderContext,
  id: JobId,
  setup: ProviderSetup,
  options: Abortable,
): Promise<void> {
  const journal = context.journal.open("federated-provider", id);
  const enlisted = await enlist(context, journal, id, setup, options).catch((error: unknown): Refusal => {
    // What the requester made wrong, before anything is at stake.
    if (journal.intent("enlist") !== undefined || !isIchainError(error)) throw error;
    if (error.class !== "untrusted" && error.class !== "refused") throw error;
    return { code: error.code, reason: error.message };
  });
  if (isRefused(enlisted)) {
    noteAndReport(context, journal, `not taken part in (${enlisted.code}), ${enlisted.reason}`);
    return await end(context, journal, id, "failed");
  }
  const earned = await follow(context, journal, id, { setup, enlisted }, options);
  noteAndReport(context, journal, `federated job over, ${earned > 0n ? "paid" : "unpaid"}`);
  await end(context, journal, id, earned > 0n ? "done" : "failed");
}

/** Ends this provider's part at once: its files go, and its stake is released with the job. */
async function leaveJob(context: WorkerContext, id: JobId): Promise<void> {
  const journal = context.journal.open("federated-provider", id);
  await end(context, journal, id, "failed");
}

async function end(
  { jobsDir }: WorkerContext,
  journal: JobJournal,
  id: JobId,
  result: "done" | "failed",
): Promise<void> {
  await rm(jobFolder(jobsDir, "federated-provider", id).dir, { recursive: true, force: true });
  journal.finish(result);
}

/** A round under way; another one, or the job's end, aborts it. */
interface Running {
  readonly round: number;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

async function follow(
  context: ProviderContext,
  journal: JobJournal,
  id: JobId,
  { setup, enlisted }: { setup: ProviderSetup; enlisted: Enlisted },
  options: Abortable,
): Promise<bigint> {
  const { market, transport } = context;
  const identity = await journal.step<HostIdentity, HostIdentity>("identity", {
    prepare: () => transport.newIdentity(),
    act: (one) => one,
  });
  await using hosting = hostOnce(
    context,
    "updates",
    async () => ({
      identity,
      blobs: updatesOf(journal),
      readers: (await leadsOf(context, journal, id, enlisted, options)).map(readerOf),
    }),
    options,
  );
  let running: Running | undefined;
  const stop = async () => {
    running?.abort.abort();
    await running?.done;
    running = undefined;
  };
  await using _running = { [Symbol.asyncDispose]: stop };
  const round: Omit<RoundContext, "job" | "round"> = {
    ...{ setup, enlisted, hosting, identity },
    last: new LastToAnswer(),
  };
  await using defence = inTurn(context, journal, options);
  for await (const job of market.followFederated(id, options)) {
    const open = openRoundOf(job);
    if (running && running.round !== open) await stop();
    const now = await market.now(options);
    if (job.state !== "Ended" && job.state !== "Disputed" && now > job.deadline) {
      await expire(context, journal, job, options);
      continue;
    }
    await moveDisputesOn(context, journal, job, options);
    await tellDisputes(context, journal, job);
    defence.begin((own) => answerStrike(context, journal, { job, setup, enlisted }, own));
    if (job.state === "Enlisting") hosting.start().catch(() => undefined); // tried again when there is an update
    if (open !== undefined && running === undefined)
      running = begin(context, journal, { ...round, job, round: open }, options);
    if (job.state !== "Ended") continue;
    // The stake, and that of those that struck, waits for the panel.
    if (isContested(job, now)) continue;
    const paid = await settleUp(context, journal, { job, enlisted, now, policy: setup.policy }, options);
    if (paid !== undefined) return paid;
  }
  return 0n;
}

/** One piece of work at a time beside the rounds; what is begun while another is at work is left out. */
function inTurn(context: WorkerContext, journal: JobJournal, options: Abortable) {
  const stop = new AbortController();
  let current: Promise<void> | undefined;
  const run = async (work: (options: Abortable) => Promise<void>) => {
    using own = linkSignals([options.signal, stop.signal]);
    try {
      const warn = (error: Error, pause: number) =>
        context.reporter.emit({ kind: "warn", text: retryText(error, pause) });
      await retryTransient(() => work(own), warn, own);
    } catch (error) {
      if (own.signal.aborted) return;
      noteAndReport(context, journal, error instanceof Error ? error.message : String(error), "warn");
    }
  };
  return {
    begin(work: (options: Abortable) => Promise<void>): void {
      current ??= run(work).finally(() => {
        current = undefined;
      });
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await current;
    },
  };
}

/** The round that is open now; undefined while none is. */
function openRoundOf({ state, closings }: FederatedJob): number | undefined {
  return state === "Running" ? closings.length + 1 : undefined;
}

/** Plays a round in the background, again after passing failures; one that fails for good is left out of. */
function begin(
  context: WorkerContext,
  journal: JobJournal,
  round: RoundContext,
  options: Abortable,
): Running {
  const abort = new AbortController();
  const work = async () => {
    using own = linkSignals([options.signal, abort.signal]);
    try {
      await retryTransient(
        () => takeRound(context, journal, round, own),
        (error, pause) => context.reporter.emit({ kind: "warn", text: retryText(error, pause) }),
        own,
      );
    } catch (error) {
      if (own.signal.aborted) return;
      const why = error instanceof Error ? error.message : String(error);
      noteAndReport(context, journal, `round ${round.round} is left out: ${why}`, "warn");
    }
  };
  return { round: round.round, abort, done: work() };
}

async function expire(
  { market }: WorkerContext,
  journal: JobJournal,
  job: FederatedJob,
  options: Abortable,
): Promise<void> {
  const name = `expire-${job.state}-${job.closings.length}`;
  const call = { kind: "expireFederated", federated: job } as const;
  await unlessRefused(() => transact(market, journal, call, { ...options, name }));
}
