import type { Address, Hex, JobId } from "../../protocol/ids.ts";
import { fold } from "../../protocol/job/fold.ts";
import type { Job } from "../../protocol/job/job.ts";
import { type PastJob, pastJobOf, RECORD_JOBS } from "../../protocol/record.ts";
import { transaction } from "../../sqlite/transaction.ts";
import { artifactOf } from "../abi/artifacts.ts";
import { decodeJobEvent } from "../abi/decode.ts";
import type { Database } from "../database.ts";

/** All that a past job is made of: the other events need not be decoded. */
const TOLD = ["Posted", "Settled", "Refunded", "Rated"] as const;

interface Row {
  job: JobId;
  block: number;
  topics: string;
  data: Hex;
}

/**
 * Reads the jobs of a provider that count in its record. Faults have a limit of their own, so that no number of settled
 * jobs hides them.
 */
export function openRecordIndex(
  db: Database,
  { chainId, escrow }: { readonly chainId: bigint; readonly escrow: Address },
): (provider: Address) => readonly PastJob[] {
  const { abi } = artifactOf("JobEscrow");
  const [posted, settled, refunded, rated] = TOLD.map((name) => abi.getEvent(name)?.topicHash ?? name);
  const isOneOf = (events: number) => `substr(topics, 1, 66) IN (${Array(events).fill("?").join()})`;
  const ended = db.prepare(
    `SELECT p.job FROM parties p WHERE p.account = ? AND p.role = 'provider'
     AND EXISTS (SELECT 1 FROM logs l WHERE l.job = p.job AND ${isOneOf(1)})
     ORDER BY p.block DESC, p.job LIMIT ?`,
  );
  const told = db.prepare(
    `SELECT block, topics, data FROM logs WHERE job = ? AND ${isOneOf(4)} ORDER BY block, position`,
  );
  const jobOf = (id: string): Job | undefined => {
    const rows = told.all(id, posted!, settled!, refunded!, rated!) as unknown as Row[];
    return rows.reduce<Job | undefined>((job, { block, topics, data }) => {
      const event = decodeJobEvent({ block, topics: topics.split(",") as Hex[], data }, chainId, escrow);
      return event === undefined ? job : fold(job, event);
    }, undefined);
  };
  const kept = db.prepare("SELECT past FROM past_jobs JOIN jobs USING (job, touched) WHERE job = ?");
  const keep = db.prepare(
    "INSERT OR REPLACE INTO past_jobs (job, touched, past) SELECT job, touched, ? FROM jobs WHERE job = ?",
  );
  const pastOf = (id: string): PastJob | undefined => {
    const row = kept.get(id);
    if (row !== undefined) return decode(row.past as string | null);
    const job = jobOf(id);
    const past = job && pastJobOf(job);
    keep.run(past === undefined ? null : encode(past), id);
    return past;
  };
  const past = (provider: Address, event: string, limit: number, wanted: PastJob["ended"]): PastJob[] =>
    ended
      .all(provider.toLowerCase(), event, limit)
      .flatMap(({ job }) => pastOf(job as string) ?? [])
      .filter((one) => one.ended === wanted);
  return (provider) =>
    transaction(db, () => [
      ...past(provider, settled!, RECORD_JOBS, "settled"),
      // Jobs that were given back or stopped are refunded too, and say nothing.
      ...past(provider, refunded!, 4 * RECORD_JOBS, "fault").slice(0, RECORD_JOBS),
    ]);
}

/** The row's text: JSON has no large integers. */
function encode(past: PastJob): string {
  return JSON.stringify({ ...past, value: String(past.value) });
}

/** The inverse of `encode`; only for what this module wrote. */
function decode(text: string | null): PastJob | undefined {
  if (text === null) return undefined;
  const { requester, value, validators, ended, score } = JSON.parse(text);
  return { requester, value: BigInt(value), validators, ended, score };
}
