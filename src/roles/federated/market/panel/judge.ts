import { join } from "node:path";
import { type Abortable, linkSignals } from "../../../../async/abort.ts";
import { isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { CLEAR, findingOf } from "../../../../protocol/federated/market/closing.ts";
import { assertedTo } from "../../../../protocol/federated/market/dispute/grounds.ts";
import type { Dispute, FederatedJob } from "../../../../protocol/federated/market/job.ts";
import { type Address, type Hex, sameAddress, shortId } from "../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../context.ts";
import { noteAndReport } from "../../../shared/note.ts";
import { type Rerun, rerunClosing } from "./judge-closing.ts";
import { judgeStrike } from "./judge-strike.ts";
import { hearWitness, type PanelSetup, soundUpdates, type Testimony } from "./open-case.ts";
import type { CaseFiles } from "./place.ts";

interface Request {
  readonly job: FederatedJob;
  readonly dispute: Dispute;
  readonly case: CaseFiles;
}

/**
 * What this validator of a panel finds: of a strike whether a replay confirms it, of a closing whether the round gives it
 * and no update was ignored that its provider had asserted. What nobody shows before `options.signal` aborts counts
 * against the validators that signed.
 */
export async function judge(
  context: WorkerContext,
  journal: JobJournal,
  request: Request,
  setup: PanelSetup,
  { signal, limit }: Abortable & { readonly limit: AbortSignal },
): Promise<Hex> {
  const { job, dispute } = request;
  const { about, number } = dispute;
  const note = (text: string) =>
    noteAndReport(context, journal, `dispute of round ${dispute.round}: ${text}`);
  const ignored = about === undefined ? assertedTo(job, dispute.round) : [];
  const witnesses = [
    ...job.members.filter(({ seat }) => seat).map(({ account }) => account),
    ...ignored.map(({ provider }) => provider),
  ];
  const dir = join(request.case.files.dir, `dispute-${number}`);
  const deciding = about === undefined ? decideClosing(context, journal, request, setup) : undefined;
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
      const by = shortId(witnesses[next.at]!);
      try {
        if ("error" in next) throw next.error;
        const finding = deciding
          ? await deciding(next.testimony, next.at, { signal })
          : await judgeStrike(context, journal, { ...request, about: about! }, next.testimony, setup, {
              signal,
            });
        if (finding !== undefined) return finding;
      } catch (error) {
        signal.throwIfAborted();
        if (limit.aborted && !isIchainError(error)) continue;
        if (!isIchainError(error) || (error.class !== "untrusted" && error.class !== "unavailable"))
          throw error;
        note(`what ${by} shows is not used: ${error.message}`);
      }
    }
    return deciding?.last() ?? nobody(note);
  } finally {
    done.abort();
    await Promise.allSettled(heard);
  }
}

function nobody(note: (text: string) => void): Hex {
  note("none of those that signed shows what for");
  return CLEAR;
}

/** Takes one testimony of a closing after the other until they decide; `last` says what they come to without more. */
function decideClosing(context: WorkerContext, journal: JobJournal, request: Request, setup: PanelSetup) {
  const { job, dispute } = request;
  const { round, number } = dispute;
  const ignored = assertedTo(job, round);
  const claimed = findingOf(job.closings[round - 1]!.closing);
  const reruns: Rerun[] = [];
  const shown: Testimony[] = [];
  const note = (text: string) => noteAndReport(context, journal, `dispute of round ${round}: ${text}`);
  const holds = () => reruns.find((one) => one.holds);
  /** An update that was asserted in time, is sound, and does not count. */
  const wronged = async (): Promise<Address | undefined> => {
    const made = holds() ?? reruns[0];
    if (made === undefined) return undefined;
    for (const testimony of shown)
      for (const { message } of await soundUpdates(context, { job, ...made }, testimony)) {
        const { provider, data } = message.upload;
        const asserted = ignored.find((one) => sameAddress(one.provider, provider));
        if (asserted?.upload !== message.parcel.root || made.counted.has(asserted.upload)) continue;
        const dealt = await made.dealt(provider);
        if (dealt === undefined || dealt === data) return provider;
      }
    return undefined;
  };
  const decide = async (testimony: Testimony, at: number, options: Abortable): Promise<Hex | undefined> => {
    if (ignored.some((one) => sameAddress(one.provider, testimony.by))) shown.push(testimony);
    else {
      const by = 8 * number + at;
      const rerun = await rerunClosing(
        context,
        journal,
        { ...request, round, by },
        testimony,
        setup,
        options,
      );
      if (rerun !== undefined) reruns.push(rerun);
      if (rerun?.why !== undefined) note(rerun.why);
    }
    const provider = await wronged();
    if (provider !== undefined) {
      note(`the closing leaves out ${provider}, which had said on the chain that it uploaded`);
      return CLEAR;
    }
    const made = holds();
    const isWhole = made !== undefined && ignored.every(({ upload }) => made.counted.has(upload));
    return isWhole ? claimed : undefined;
  };
  const last = () => {
    if (holds() !== undefined) return claimed;
    return reruns.length > 0 ? CLEAR : undefined;
  };
  return Object.assign(decide, { last });
}
