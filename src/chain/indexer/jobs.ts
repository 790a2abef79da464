import type { CampaignFilter } from "../../ports/market/campaign.ts";
import type { FederatedFilter } from "../../ports/market/federated.ts";
import type { JobFilter } from "../../ports/market.ts";
import type { Address, Hex, JobId } from "../../protocol/ids.ts";
import { fold } from "../../protocol/job/fold.ts";
import type { Job } from "../../protocol/job/job.ts";
import { decodeJobEvent } from "../abi/decode.ts";
import type { Database } from "../database.ts";

/** The read half of the index. */
export interface JobIndex {
  /** Folded from its logs; undefined when the index has none. */
  find(id: JobId): Job | undefined;
  /** Jobs that match and changed after `touched`, oldest change first. */
  changed(filter: JobFilter, touched: number): { id: JobId; touched: number }[];
  /** Grows with every change to the job; 0 while unknown. */
  touched(id: JobId): number;
  /** Up to `limit` ids that begin with `prefix`, lower-case 0x-hex. */
  startingWith(prefix: Hex, limit: number): JobId[];
}

interface LogRow {
  block: number;
  topics: string;
  data: Hex;
}

export function openJobIndex(db: Database, chainId: bigint, escrow: Address): JobIndex {
  const logsOf = db.prepare("SELECT block, topics, data FROM logs WHERE job = ? ORDER BY block, position");
  const touchOf = db.prepare("SELECT touched FROM jobs WHERE job = ?");
  const range = db.prepare("SELECT job FROM jobs WHERE job >= ? AND job <= ? ORDER BY job LIMIT ?");
  return {
    find(id) {
      const rows = logsOf.all(id.toLowerCase()) as unknown as LogRow[];
      return rows.reduce<Job | undefined>((job, { block, topics, data }) => {
        const event = decodeJobEvent({ block, topics: topics.split(",") as Hex[], data }, chainId, escrow);
        return event === undefined ? job : fold(job, event);
      }, undefined);
    },
    changed: (filter, touched) => changedJobs(db, "jobs", filter, touched),
    touched: (id) => (touchOf.get(id.toLowerCase())?.touched as number | undefined) ?? 0,
    startingWith: (prefix, limit) =>
      range.all(prefix, prefix.padEnd(66, "f"), limit).map((row) => row.job as JobId),
  };
}

/** The jobs of `table` with all of these parties, by role, that changed after `touched`; oldest change first. */
export function changedJobs(
  db: Database,
  table: "jobs" | "federated_jobs" | "campaigns",
  parties: JobFilter | FederatedFilter | CampaignFilter,
  touched: number,
): { id: JobId; touched: number }[] {
  const wanted = Object.entries(parties).flatMap(([role, account]) => (account ? [{ role, account }] : []));
  const conditions = wanted.map(
    () => `AND EXISTS (SELECT 1 FROM parties p WHERE p.account = ? AND p.role = ? AND p.job = ${table}.job)`,
  );
  const sql = `SELECT job AS id, touched FROM ${table} WHERE touched > ? ${conditions.join(" ")} ORDER BY touched`;
  const values = wanted.flatMap(({ role, account }) => [account.toLowerCase(), role]);
  return db.prepare(sql).all(touched, ...values) as unknown as { id: JobId; touched: number }[];
}
