import type { Address, Hex, JobId } from "../ids.ts";
import type { Job } from "../job/job.ts";

/** What a model of a campaign was trained on. */
export interface Training {
  readonly job: JobId;
  /** Of the file of rows, as `ichain data get --accepted` writes it: keccak256. */
  readonly rowsDigest: Hex;
  readonly rows: number;
  /** Entries that the rows are from. */
  readonly entries: readonly number[];
  /** Block up to which the campaign's events were counted. */
  readonly block: number;
}

/** A model that a campaign led to, and where it is from. */
export interface Version extends Training {
  /** From 1, in the order in which the jobs were posted; undefined until a job is settled. */
  readonly version: number | undefined;
  /** The job of the version before. */
  readonly previous: JobId | undefined;
  readonly state: Job["state"];
  readonly provider: Address;
  /** Of the first validator that agreed, on the hidden test set; fixed point, larger is better. */
  readonly score: bigint | undefined;
}

/** The versions of a campaign: a job that is settled is the next one, one that failed is none. */
export function versionsOf(trained: readonly { training: Training; job: Job }[]): Version[] {
  let [count, previous]: [number, JobId | undefined] = [0, undefined];
  return trained.map(({ training, job }) => {
    const { state, terms } = job;
    const settled = state === "Settled";
    if (settled) count++;
    const version = {
      ...training,
      ...{ version: settled ? count : undefined, previous, state, provider: terms.provider },
      score: settled ? agreedScore(job) : undefined,
    };
    if (settled) previous = job.id;
    return version;
  });
}

function agreedScore({ validations, providerMeasurement: own }: Job): bigint | undefined {
  const measured = validations.flatMap(({ measurement }) => measurement ?? []);
  return measured.find(({ digest }) => digest === own?.digest)?.score;
}
