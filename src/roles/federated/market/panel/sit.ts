import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { type Abortable, linkSignals } from "../../../../async/abort.ts";
import { retryTransient } from "../../../../async/retry.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { CLEAR, findingCommitment, GUILTY } from "../../../../protocol/federated/market/closing.ts";
import { type Dispute, type FederatedJob, isContested } from "../../../../protocol/federated/market/job.ts";
import { type Address, type Hex, type JobId, sameAddress, ZERO_ADDRESS } from "../../../../protocol/ids.ts";
import { forJob, type WorkerContext } from "../../../context.ts";
import type { Duty } from "../../../daemon/daemon.ts";
import { type Machine, openSlots, type Share, type Slots } from "../../../daemon/slots.ts";
import { chainDeadline } from "../../../shared/chain-deadline.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { noteAndReport, retryText } from "../../../shared/note.ts";
import { random32 } from "../../../shared/random.ts";
import { transact } from "../../../shared/transact.ts";
import { FileAggregation } from "../../aggregation/aggregate-files.ts";
import { disputeNumbered, moveDisputesOn } from "../dispute/move-on.ts";
import { leadFiles } from "../requester/files.ts";
import { unlessRefused } from "../unless-refused.ts";
import { judge } from "./judge.ts";
import type { PanelSetup } from "./open-case.ts";
import type { CaseFiles } from "./place.ts";

/** What `ichain validate` does with disputes of federated jobs: it answers in the panels that it is drawn for. */
export function panelDuty(context: WorkerContext, setup: PanelSetup, whole: Machine): Duty<FederatedJob> {
  const { market, account } = context;
  const slots = openSlots(setup.policy.maxJobs, whole);
  return {
    role: "federated-panel",
    watch: (options) => market.watchFederated({ validator: account }, options),
    wants: ({ disputes }) => !setup.draining && disputes.some((one) => isDrawn(one, account)),
    work: (id, options) => answerPanels(forJob(context, id), id, { setup, slots }, options),
    giveUp: async (id) => end(context, context.journal.open("federated-panel", id), "failed"),
    policyChanged: () => slots.resize(setup.policy.maxJobs),
  };
}

function isDrawn({ panel }: Dispute, account: Address): boolean {
  return panel.some((one) => sameAddress(one, account));
}

interface Panelist {
  readonly setup: PanelSetup;
  readonly slots: Slots;
  /** Of one job. */
  readonly alone: Slots;
}

/** All disputes of a job for which this account is drawn, until it can have no more; safe to call again after a crash. */
async function answerPanels(
  context: WorkerContext,
  id: JobId,
  seated: Omit<Panelist, "alone">,
  options: Abortable,
): Promise<void> {
  const panelist: Panelist = { ...seated, alone: openSlots(1) };
  const { market, account, jobsDir } = context;
  const journal = context.journal.open("federated-panel", id);
  const files = leadFiles(jobFolder(jobsDir, "federated-panel", id).dir);
  await using aggregation = new FileAggregation(Math.min(2, availableParallelism()));
  const sitting = new Map<number, Promise<void>>();
  const stop = new AbortController();
  using own = linkSignals([options.signal, stop.signal]);
  await using _sitting = {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.all(sitting.values());
    },
  };
  for await (const job of market.followFederated(id, options)) {
    for (const { number } of job.disputes.filter((one) => isDrawn(one, account)))
      if (!sitting.has(number))
        sitting.set(
          number,
          sit(context, journal, { id, number, case: { files, aggregation } }, panelist, own),
        );
    const now = await market.now(options);
    const isOver = job.state === "Ended" && now > job.deadline && !isContested(job, now);
    // One that drains does not wait for disputes that may never come.
    const isIdle = !job.disputes.some((one) => isDrawn(one, account));
    if (!isOver && !(panelist.setup.draining && isIdle)) continue;
    await Promise.all(sitting.values());
    await takeFees(context, journal, job, options);
    return await end(context, journal, "done");
  }
}

/** One dispute from its draw to its conclusion. Never rejects: what cannot be judged here is left to the others. */
async function sit(
  context: WorkerContext,
  journal: JobJournal,
  request: { readonly id: JobId; readonly number: number; readonly case: Omit<CaseFiles, "hold"> },
  panelist: Panelist,
  options: Abortable,
): Promise<void> {
  try {
    const warn = (error: Error, pause: number) =>
      context.reporter.emit({ kind: "warn", text: retryText(error, pause) });
    await retryTransient(() => answer(context, journal, request, panelist, options), warn, options);
  } catch (error) {
    if (options.signal.aborted) return;
    const why = error instanceof Error ? error.message : String(error);
    noteAndReport(context, journal, `a dispute is not judged here: ${why}`, "warn");
  }
}

async function answer(
  context: WorkerContext,
  journal: JobJournal,
  request: { readonly id: JobId; readonly number: number; readonly case: Omit<CaseFiles, "hold"> },
  panelist: Panelist,
  options: Abortable,
): Promise<void> {
  const { market, account } = context;
  const { id, number } = request;
  for await (const job of market.followFederated(id, options)) {
    const dispute = disputeNumbered(job, number);
    if (dispute === undefined) return;
    const has = (accounts: readonly Address[]) => accounts.some((one) => sameAddress(one, account));
    const now = await market.now(options);
    if (!has(dispute.committed) && now <= dispute.deadline)
      await commitTo(context, journal, { ...request, job, dispute }, panelist, options);
    const isOpen = dispute.committed.length === dispute.panel.length || now > dispute.deadline;
    if (has(dispute.committed) && !has(dispute.revealed) && isOpen)
      await reveal(context, journal, { job, dispute }, options);
    await moveDisputesOn(context, journal, job, options);
  }
}

/** Judges and commits. The finding and its salt are recorded before the chain hears of them. */
async function commitTo(
  context: WorkerContext,
  journal: JobJournal,
  {
    job,
    dispute,
    case: files,
  }: { readonly job: FederatedJob; readonly dispute: Dispute; readonly case: Omit<CaseFiles, "hold"> },
  { setup, slots, alone }: Panelist,
  options: Abortable,
): Promise<void> {
  const { market, account } = context;
  const { number, about, round, deadline } = dispute;
  const finding = await journal.step(findingName(number), {
    prepare: () => null,
    act: async () => {
      const what = about === undefined ? `the closing of round ${round}` : `the strike against ${about}`;
      noteAndReport(context, journal, `drawn for the panel that judges ${what}`);
      // A part of the time is for the transaction.
      using late = chainDeadline(deadline, market, options.signal, Math.floor(job.terms.roundWindow / 4));
      using slot = await slots.take(options);
      let held: Promise<void> | undefined;
      const hold = (share: Share) => {
        held ??= slot.hold(share, options);
        return held;
      };
      const { roundWindow } = job.terms;
      const isInTime = (await market.now(options)) <= deadline - Math.floor(roundWindow / 2);
      const request = { job, dispute, case: { ...files, hold }, isInTime, alone };
      const found = await judge(context, journal, request, setup, { ...options, limit: late.signal });
      noteAndReport(context, journal, `judged ${what}: ${wordsFor(found)}`);
      return found;
    },
  });
  const salt = await journal.step(`salt-${number}`, { prepare: random32, act: (one) => one });
  const commitment = findingCommitment(job.id, about ?? ZERO_ADDRESS, account, finding, salt);
  const call = { kind: "commitFinding", federated: job, about, commitment } as const;
  await unlessRefused(() => transact(market, journal, call, { ...options, name: `commit-${number}` }));
}

function wordsFor(finding: Hex): string {
  if (finding === GUILTY) return "its training gives another update";
  return finding === CLEAR ? "it is not as the validators say" : "it is as the validators say";
}

async function reveal(
  { market }: WorkerContext,
  journal: JobJournal,
  { job, dispute: { number, about } }: { readonly job: FederatedJob; readonly dispute: Dispute },
  options: Abortable,
): Promise<void> {
  const finding = journal.outcome<Hex>(findingName(number));
  const salt = journal.outcome<Hex>(`salt-${number}`);
  // Where the journal was lost, so is the stake: nothing else opens the commitment.
  if (finding === undefined || salt === undefined) return;
  const call = { kind: "revealFinding", federated: job, about, finding, salt } as const;
  await unlessRefused(() => transact(market, journal, call, { ...options, name: `reveal-${number}` }));
}

function findingName(number: number): string {
  return `finding-${number}`;
}

async function takeFees(
  { market, account }: WorkerContext,
  journal: JobJournal,
  { terms: { token } }: FederatedJob,
  options: Abortable,
): Promise<void> {
  const owed = await market.owedFederated(account, token, options);
  if (owed > 0n)
    await unlessRefused(() => transact(market, journal, { kind: "withdrawFederated", token }, options));
}

async function end(
  { jobsDir }: WorkerContext,
  journal: JobJournal,
  result: "done" | "failed",
): Promise<void> {
  await rm(jobFolder(jobsDir, "federated-panel", journal.key as JobId).dir, { recursive: true, force: true });
  journal.finish(result);
}
