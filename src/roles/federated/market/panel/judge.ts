import { join } from "node:path";
import { type Abortable, linkSignals } from "../../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { CLEAR } from "../../../../protocol/federated/market/closing.ts";
import type { Dispute, FederatedJob } from "../../../../protocol/federated/market/job.ts";
import { type Hex, shortId } from "../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../context.ts";
import type { Slots } from "../../../daemon/slots.ts";
import { noteAndReport } from "../../../shared/note.ts";
import { judgeClosing } from "./judge-closing.ts";
import { judgeStrike } from "./judge-strike.ts";
import { hearWitness, isOwnDisk, type PanelSetup } from "./open-case.ts";
import type { CaseFiles } from "./place.ts";

/**
 * What this validator of a panel finds: of a strike whether a replay confirms it, of a closing whether the round gives it.
 * Takes what the job's validators show as it comes, until one confirms what is disputed; what none shows before `limit`
 * aborts, or shows otherwise, counts against those that signed. What fails on this machine does not: it is tried again, or
 * left to the others of the panel.
 * @throws PANEL_UNFIT, and the codes of running tasks
 */
export async function judge(
  context: WorkerContext,
  journal: JobJournal,
  request: {
    readonly job: FederatedJob;
    readonly dispute: Dispute;
    readonly case: CaseFiles;
    /** Whether witnesses have time to be heard: what is not shown in too little of it counts against no one. */
    readonly isInTime: boolean;
    /** One place, for a testimony that is being judged. */
    readonly alone: Slots;
  },
  setup: PanelSetup,
  { signal, limit }: Abortable & { readonly limit: AbortSignal },
): Promise<Hex> {
  const { job, dispute } = request;
  const { about, number } = dispute;
  const note = (text: string) =>
    noteAndReport(context, journal, `dispute of round ${dispute.round}: ${text}`);
  const witnesses = job.members.filter(({ seat }) => seat).map(({ account }) => account);
  const dir = join(request.case.files.dir, `dispute-${number}`);
  const done = new AbortController();
  using own = linkSignals([signal, limit, done.signal]);
  const heard = witnesses.map((by, at) =>
    hearWitness(context, { job, dispute, by, dir }, setup, own).then(
      (testimony) => ({ at, testimony }),
      (error: unknown) => ({ at, error }),
    ),
  );
  const waiting = new Map(heard.entries());
  const noteOf = (at: number, { message }: Error) =>
    note(`what ${shortId(witnesses[at]!)} shows does not confirm it: ${message}`);
  let isUnheard = false;
  try {
    while (waiting.size > 0) {
      const next = await Promise.race(waiting.values());
      waiting.delete(next.at);
      signal.throwIfAborted();
      if ("error" in next) {
        if (!limit.aborted && (!isIchainError(next.error) || isOwnDisk(next.error))) throw next.error;
        isUnheard ||= limit.aborted;
        if (isIchainError(next.error)) noteOf(next.at, next.error);
        continue;
      }
      try {
        // One after the other: they share the job's folder.
        using _alone = await request.alone.take({ signal });
        // Names the steps and files of this testimony: a job has seven seats at most.
        const of = { ...request, by: 8 * number + next.at };
        const { testimony } = next;
        const finding =
          about === undefined
            ? await judgeClosing(context, journal, of, testimony, setup, { signal })
            : await judgeStrike(context, journal, { ...of, about }, testimony, setup, { signal });
        if (finding !== undefined) return finding;
      } catch (error) {
        signal.throwIfAborted();
        // What fails on this machine is no finding.
        if (!isIchainError(error) || error.class !== "untrusted") throw error;
        noteOf(next.at, error);
      }
    }
    if (isUnheard && !request.isInTime) throw tooLate();
    note("none of those that signed shows what confirms it");
    return CLEAR;
  } finally {
    done.abort();
    await Promise.allSettled(heard);
  }
}

function tooLate(): IchainError {
  return new IchainError("PANEL_UNFIT", "There was too little time left to hear the validators of the job.", {
    hint: "The others of the panel decide, and the stake comes back. Keep `ichain validate` running.",
  });
}
