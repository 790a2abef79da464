import { IchainError } from "../../../../errors/error.ts";
import type { JobJournal, Journal } from "../../../../ports/journal.ts";
import type { Blob, HostIdentity } from "../../../../ports/transport.ts";
import { type Address, type Hex, type JobId, shortId } from "../../../../protocol/ids.ts";
import type { Terms } from "../../../../protocol/job/terms.ts";
import type { Benchmark } from "../../../../protocol/machine/benchmark.ts";
import type { Party } from "../../../../protocol/offer.ts";
import type { Audit } from "../../../../protocol/policy/audit.ts";
import type { JobFile, Spec } from "../../../../protocol/task/spec.ts";
import type { KeptInput } from "../../../task/kept/kept-inputs.ts";

/** Everything that the requester decided before anything left its machine: the journal's first record of a job. */
export interface Draft {
  readonly spec: Spec;
  readonly terms: Terms;
  /** The chosen parties, with their keys at that time. */
  readonly provider: Party;
  readonly validators: readonly Party[];
  /** What the provider's offer said that its machine scores. */
  readonly benchmark?: Benchmark | undefined;
  readonly bundle: Blob;
  readonly bundleKey: Hex;
  /** Inputs that are parcels of their own, hosted beside the bundle. */
  readonly kept?: readonly KeptInput[] | undefined;
  readonly mask: Hex;
  /** Start of the hash chain of the requester's seeds for draws. */
  readonly seedSecret: Hex;
  readonly identity: HostIdentity;
  /** The encrypted exam, and where validators alone fetch it. */
  readonly exam?: { readonly blob: Blob; readonly key: Hex; readonly identity: HostIdentity } | undefined;
  /** How it was decided whether the job is validated. */
  readonly audit: Audit;
  /** What it takes to post the job to another provider. */
  readonly again?: Again | undefined;
}

/** What a draft's bundle consists of: the parcel of that name, and those of the inputs that are kept. */
export function bundleBlobs({ bundle, kept = [] }: Pick<Draft, "bundle" | "kept">): Blob[] {
  return [bundle, ...kept.map(({ blob }) => blob)];
}

/** Bytes that a party has to fetch at most before it can run the task. */
export function bundleBytes(draft: Pick<Draft, "bundle" | "kept">): number {
  return bundleBlobs(draft).reduce((sum, { size }) => sum + size, 0);
}

export interface Again {
  readonly file: JobFile;
  /** Providers that may be asked while they decline, this job's among them; 1 when the owner asks the next. */
  readonly tries: number;
  /** How often the job may still be posted again by itself when its provider gives it back or is lost. */
  readonly failovers?: number | undefined;
  /** Unix seconds by which the run window of a job that is posted again must end. */
  readonly until?: number | undefined;
  /** The providers that declined, gave back or were lost before. */
  readonly passed: readonly Address[];
  /** Most that may be locked for another one, in the unit of the job's token; job.yaml and the market alone say it where absent. */
  readonly most?: bigint | undefined;
  /** Jobs of this home that other providers were asked with before, the first of all first. */
  readonly asked?: readonly JobId[] | undefined;
  /** The job in whose place this one is posted, once that one is over. */
  readonly after?: JobId | undefined;
}

/** Records the draft; from then on `draftOf` returns it. */
export function recordDraft(journal: JobJournal, draft: Draft): Promise<Draft> {
  return journal.step("draft", { prepare: () => draft, act: (intent) => intent });
}

/** Its intent is the whole of it: a process that was killed before it recorded the outcome has drafted the job too. */
export function draftOf(journal: Pick<JobJournal, "intent">): Draft | undefined {
  return journal.intent<Draft>("draft");
}

/**
 * The journal and the draft of a job that was submitted from this home folder.
 * @throws JOB_NOT_OURS
 */
export function openDraft(journal: Journal, jobId: JobId): { journal: JobJournal; draft: Draft } {
  const record = journal.open("requester", jobId);
  const draft = draftOf(record);
  if (!draft) throw jobNotOurs(jobId);
  return { journal: record, draft };
}

/** For a job that was submitted from another home folder or by another account. */
export function jobNotOurs(jobId: JobId): IchainError {
  return new IchainError("JOB_NOT_OURS", `This home folder holds no keys for job ${shortId(jobId)}.`);
}
