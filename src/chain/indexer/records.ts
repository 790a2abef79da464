import type { Address, JobId } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job/job.ts";
import { type PastJob, pastJobOf, RECORD_JOBS } from "../../protocol/record.ts";
import { artifactOf } from "../abi/artifacts.ts";
import type { Database } from "../database.ts";

/**
 * Reads the jobs of a provider that count in its record. Faults have a limit of their own, so that no number of settled
 * jobs hides them.
 */
export function openRecordIndex(
  db: Database,
  find: (id: JobId) => Job | undefined,
): (provider: Address) => readonly PastJob[] {
  const newest = db.prepare(
    `SELECT p.job FROM parties p WHERE p.account = ? AND p.role = 'provider'
     AND EXISTS (SELECT 1 FROM logs l WHERE l.job = p.job AND l.topics LIKE ?)
     ORDER BY p.block DESC, p.job LIMIT ?`,
  );
  const { abi } = artifactOf("JobEscrow");
  const [settled, refunded] = ["Settled", "Refunded"].map(
    (name) => `${abi.getEvent(name)?.topicHash ?? name}%`,
  );
  const past = (provider: Address, event: string, limit: number, wanted: PastJob["ended"]): PastJob[] => {
    const rows = newest.all(provider.toLowerCase(), event, limit);
    return rows
      .flatMap(({ job }) => find(job as JobId) ?? [])
      .flatMap((job) => pastJobOf(job) ?? [])
      .filter(({ ended }) => ended === wanted);
  };
  return (provider) => [
    ...past(provider, settled!, RECORD_JOBS, "settled"),
    // Jobs that were given back or stopped are refunded too, and say nothing.
    ...past(provider, refunded!, 4 * RECORD_JOBS, "fault").slice(0, RECORD_JOBS),
  ];
}
