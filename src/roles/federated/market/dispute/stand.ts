import { type Abortable, linkSignals } from "../../../../async/abort.ts";
import { retryTransient } from "../../../../async/retry.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Blob } from "../../../../ports/transport.ts";
import type { WitnessMessage } from "../../../../protocol/federated/market/dispute/evidence.ts";
import type { Dispute, FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { Address, Hex } from "../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../context.ts";
import { hostOnce } from "../../../shared/host-once.ts";
import { noteAndReport } from "../../../shared/note.ts";
import { meetingOf } from "./meet.ts";

/** What a witness has to show in a dispute. */
export interface Exhibit {
  readonly evidence: { readonly blob: Blob; readonly key: Hex };
  /** The job's. */
  readonly bundle?: { readonly blob: Blob; readonly key: Hex } | undefined;
}

/** What this account shows the panels of a job's disputes. */
export interface Stand extends AsyncDisposable {
  /** Begins and ends what the job as it is now asks for. */
  follow(job: FederatedJob): Promise<void>;
}

/**
 * Shows each drawn panel what this account has of the disputed round, for as long as the dispute is open, at an address
 * of its own for each validator of the panel: the chain names who was drawn, and no one else can find it.
 */
export function openStand(
  context: WorkerContext,
  journal: JobJournal,
  /** Packs what there is; undefined where there is nothing. */
  prove: (job: FederatedJob, dispute: Dispute, options: Abortable) => Promise<Exhibit | undefined>,
  options: Abortable,
): Stand {
  const shown = new Map<number, { readonly abort: AbortController; readonly done: Promise<void> }>();
  const end = async (number: number) => {
    const one = shown.get(number);
    shown.delete(number);
    one?.abort.abort();
    await one?.done;
  };
  const show = async (job: FederatedJob, dispute: Dispute, own: Abortable) => {
    const warn = (error: unknown) => {
      if (own.signal.aborted) return;
      const why = error instanceof Error ? error.message : String(error);
      noteAndReport(context, journal, `round ${dispute.round} is not shown to a panel: ${why}`, "warn");
    };
    try {
      const proof = await retryTransient(() => prove(job, dispute, own), warn, own);
      if (proof === undefined) return;
      noteAndReport(context, journal, `round ${dispute.round} is shown to the panel of its dispute`);
      // Each by itself: one that fails is tried again, and the others stay.
      const showing = dispute.panel.map((one) =>
        retryTransient(() => showTo(context, job, { dispute, proof, one }, own), warn, own).catch(warn),
      );
      await Promise.all(showing);
    } catch (error) {
      warn(error);
    }
  };
  return {
    async follow(job) {
      const open = job.disputes.filter(({ panel }) => panel.length > 0);
      for (const number of [...shown.keys()])
        if (!open.some((dispute) => dispute.number === number)) await end(number);
      for (const dispute of open) {
        if (shown.has(dispute.number)) continue;
        const abort = new AbortController();
        const own = linkSignals([options.signal, abort.signal]);
        const done = show(job, dispute, own).finally(() => own[Symbol.dispose]());
        shown.set(dispute.number, { abort, done });
      }
    },
    async [Symbol.asyncDispose]() {
      for (const number of [...shown.keys()]) await end(number);
    },
  };
}

/** Hosts for one validator of the panel until `options.signal` aborts. */
async function showTo(
  context: WorkerContext,
  job: FederatedJob,
  { dispute, proof, one }: { readonly dispute: Dispute; readonly proof: Exhibit; readonly one: Address },
  options: Abortable,
): Promise<void> {
  const { identity, channel, onionKey } = await meetingOf(context, job, dispute, one, options);
  const { evidence, bundle } = proof;
  const message: WitnessMessage = {
    evidence: { root: evidence.blob.root, key: evidence.key, bytes: evidence.blob.size },
    ...(bundle && { bundle: { key: bundle.key, bytes: bundle.blob.size } }),
  };
  const { promise, resolve } = Promise.withResolvers<void>();
  options.signal.addEventListener("abort", () => resolve(), { once: true });
  await using hosting = hostOnce(
    context,
    `evidence-${dispute.number}-${one.slice(2, 10)}`,
    () => ({
      identity,
      blobs: [evidence.blob, ...(bundle ? [bundle.blob] : [])],
      readers: [{ fingerprint: channel.feed, onionKey }],
      feeds: [{ id: channel.feed, read: async () => channel.seal(message) }],
    }),
    options,
  );
  await hosting.start();
  return await promise;
}
