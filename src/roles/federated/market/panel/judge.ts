import { join } from "node:path";
import { type Abortable, linkSignals } from "../../../../async/abort.ts";
import { isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { CLEAR } from "../../../../protocol/federated/market/closing.ts";
import type { Dispute, FederatedJob } from "../../../../protocol/federated/market/job.ts";
import { type Hex, shortId } from "../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../context.ts";
import { noteAndReport } from "../../../shared/note.ts";
import { judgeClosing } from "./judge-closing.ts";
import { judgeStrike } from "./judge-strike.ts";
import { hearWitness, type PanelSetup } from "./open-case.ts";
import type { CaseFiles } from "./place.ts";

/**
 * What this validator of a panel finds: of a strike whether a replay confirms it, of a closing whether the round gives it.
 * Takes what the job's validators show as it comes, until one confirms what is disputed; what none shows before `limit`
 * aborts, or shows otherwise, counts against those that signed.
 */
export async function judge(
  context: WorkerContext,
  journal: JobJournal,
  request: { readonly job: FederatedJob; readonly dispute: Dispute; readonly case: CaseFiles },
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
  try {
    while (waiting.size > 0) {
      const next = await Promise.race(waiting.values());
      waiting.delete(next.at);
      try {
        if ("error" in next) throw next.error;
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
        if (limit.aborted && !isIchainError(error)) continue;
        if (!isIchainError(error) || (error.class !== "untrusted" && error.class !== "unavailable"))
          throw error;
        note(`what ${shortId(witnesses[next.at]!)} shows does not confirm it: ${error.message}`);
      }
    }
    note("none of those that signed shows what confirms it");
    return CLEAR;
  } finally {
    done.abort();
    await Promise.allSettled(heard);
  }
}
