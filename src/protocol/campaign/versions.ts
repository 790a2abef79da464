import { concat, dataLength, dataSlice, toBeHex } from "ethers";
import type { Address, Hex, JobId } from "../ids.ts";
import type { Job } from "../job/job.ts";

/** Entries that one version can leave out: what `DataCampaign.publish` takes of them. */
export const MAX_WITHOUT = 32;
const ENTRY_BYTES = 4;

/** What a model of a campaign was trained on. */
export interface Training {
  readonly job: JobId;
  /** Of the file of rows, as `ichain data get --accepted` writes it: keccak256. */
  readonly rowsDigest: Hex;
  readonly rows: number;
  /** Entries whose rows could not be had, ascending; all others are in it. */
  readonly without: readonly number[];
  /** Block up to which the campaign's events were counted. */
  readonly block: number;
}

/** What a campaign's owner told everybody of a model, as `IDataCampaign.Version`: its word, to be checked. */
export interface Publication {
  /** From 1. */
  readonly number: number;
  readonly rows: number;
  readonly asOf: number;
  readonly job: JobId;
  readonly rowsDigest: Hex;
  /** Of the job's result: what its validators compared. */
  readonly modelDigest: Hex;
  /** Fixed point, larger is better. */
  readonly score: bigint;
  /** See {@link entriesOf}. */
  readonly without: Hex;
  /** A model's locator. */
  readonly locator: Hex;
}

/** A model that a campaign led to, and where it is from. */
export interface Version {
  readonly job: JobId;
  readonly rowsDigest: Hex;
  readonly rows: number;
  /** Undefined where its owner told nothing that can be read. */
  readonly without: readonly number[] | undefined;
  readonly block: number;
  /** From 1, as it was published; undefined where it is not, or not yet. */
  readonly version: number | undefined;
  /** The job of the version before. */
  readonly previous: JobId | undefined;
  /** Undefined where the chain has no such job. */
  readonly state: Job["state"] | undefined;
  readonly provider: Address | undefined;
  /** On the hidden test set; fixed point, larger is better. */
  readonly score: bigint | undefined;
}

/** The versions that were published, then what this home had trained and is not published. */
export function versionsOf(
  published: readonly { readonly publication: Publication; readonly job: Job | undefined }[],
  trained: readonly { readonly training: Training; readonly job: Job }[],
): Version[] {
  const told = published.map(({ publication, job }, i): Version => {
    const { number, asOf, job: id, rows, rowsDigest, score } = publication;
    return {
      ...{ version: number, job: id, rows, rowsDigest, score, block: asOf },
      without: entriesOf(publication.without),
      previous: published[i - 1]?.publication.job,
      ...{ state: job?.state, provider: job?.terms.provider },
    };
  });
  const known = new Set(told.map(({ job }) => job));
  const previous = told.at(-1)?.job;
  const own = trained.filter(({ job }) => !known.has(job.id));
  return [
    ...told,
    ...own.map(
      ({ training, job }): Version => ({
        ...{ ...training, job: job.id, version: undefined, previous },
        ...{ state: job.state, provider: job.terms.provider, score: settledScore(job) },
      }),
    ),
  ];
}

/** What the first validator that agreed with its provider measured; undefined where the job is not settled, or none did. */
export function settledScore({ state, validations, providerMeasurement: own }: Job): bigint | undefined {
  if (state !== "Settled") return undefined;
  const measured = validations.flatMap(({ measurement }) => measurement ?? []);
  return measured.find(({ digest }) => digest === own?.digest)?.score;
}

/** What was compared, and whether it is so; `unknown` where it cannot be had. */
export interface VersionCheck {
  readonly what: "job" | "score" | "model" | "rows";
  readonly result: "right" | "wrong" | "unknown";
  readonly why?: string;
}

/** Whether what was published of a job is what the chain has of it. */
export function checkOfJob({ score, modelDigest }: Publication, job: Job | undefined): VersionCheck[] {
  if (job === undefined) return [{ what: "job", result: "wrong", why: "the chain has no such job" }];
  if (job.state !== "Settled")
    return [{ what: "job", result: "wrong", why: `the job is ${job.state}, not Settled` }];
  const agreed = settledScore(job);
  const digest = job.providerMeasurement?.digest;
  return [
    { what: "job", result: "right" },
    agreed === score
      ? { what: "score", result: "right" }
      : { what: "score", result: "wrong", why: "the job's validators measured another" },
    digest === modelDigest
      ? { what: "model", result: "right" }
      : { what: "model", result: "wrong", why: "the job's result is another" },
  ];
}

/** Numbers of entries as the chain has them: four bytes each. */
export function encodeEntries(entries: readonly number[]): Hex {
  return concat(entries.map((entry) => toBeHex(entry, ENTRY_BYTES))) as Hex;
}

/** Undefined where the bytes are no numbers in ascending order. */
export function entriesOf(bytes: Hex): number[] | undefined {
  const length = dataLength(bytes);
  if (length % ENTRY_BYTES !== 0 || length > MAX_WITHOUT * ENTRY_BYTES) return undefined;
  const entries = Array.from({ length: length / ENTRY_BYTES }, (_, i) =>
    Number(dataSlice(bytes, i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES)),
  );
  return entries.every((entry, i) => i === 0 || entry > entries[i - 1]!) ? entries : undefined;
}
