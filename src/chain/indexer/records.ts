import type { FederatedEvent } from "../../protocol/federated/market/events.ts";
import type { Address, Hex, JobId } from "../../protocol/ids.ts";
import { fold } from "../../protocol/job/fold.ts";
import type { Job } from "../../protocol/job/job.ts";
import { type PastJob, pastJobOf, pastRoundsOf, RECORD_JOBS } from "../../protocol/record.ts";
import { transaction } from "../../sqlite/transaction.ts";
import { artifactOf } from "../abi/artifacts.ts";
import { decodeJobEvent } from "../abi/decode.ts";
import { decodeFederatedEvent } from "../abi/decode-federated.ts";
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
  {
    chainId,
    escrow,
    federated,
  }: {
    readonly chainId: bigint;
    readonly escrow: Address;
    readonly federated?: Address | undefined;
  },
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
  const rounds = federated === undefined ? () => [] : openRoundRecords(db, { chainId, federated });
  return (provider) =>
    transaction(db, () => [
      ...past(provider, settled!, RECORD_JOBS, "settled"),
      // Jobs that were given back or stopped are refunded too, and say nothing.
      ...past(provider, refunded!, 4 * RECORD_JOBS, "fault").slice(0, RECORD_JOBS),
      ...rounds(provider),
    ]);
}

/** Reads the federated jobs that paid a provider, or slashed it, the newest of each; they are counted beside the others. */
function openRoundRecords(
  db: Database,
  { chainId, federated }: { readonly chainId: bigint; readonly federated: Address },
): (provider: Address) => readonly PastJob[] {
  const { abi } = artifactOf("FederatedEscrow");
  const topicOf = (name: string) => abi.getEvent(name)?.topicHash ?? name;
  const [posted, claimed, released, rated] = [
    "FederatedPosted",
    "Claimed",
    "StakeReleased",
    "FederatedRated",
  ].map(topicOf);
  // Their topics are the event, the job and the account, and no others.
  const jobsWith = (rest: string) =>
    db.prepare(
      `SELECT p.job FROM parties p JOIN federated_jobs USING (job) WHERE p.account = ? AND p.role = 'provider'
     AND EXISTS (SELECT 1 FROM logs l WHERE l.job = p.job AND l.topics = ? || ',' || p.job || ',' || ? ${rest})
     ORDER BY p.block DESC, p.job LIMIT ?`,
    );
  const paid = jobsWith("");
  // Their data are whether the stake was slashed. Faults have a limit of their own.
  const slashed = jobsWith("AND substr(l.data, -1) = '1'");
  const told = db.prepare(
    `SELECT block, topics, data FROM logs WHERE job = ? AND (substr(topics, 1, 66) IN (?, ?)
     OR topics IN (? || ',' || job || ',' || ?, ? || ',' || job || ',' || ?)) ORDER BY block, position`,
  );
  const pastOf = (id: string, provider: Address): PastJob | undefined => {
    const padded = wordOf(provider);
    const values = [id, posted!, rated!, claimed!, padded, released!, padded];
    const rows = told.all(...values) as unknown as Row[];
    const events = rows.flatMap(({ block, topics, data }): FederatedEvent[] => {
      const event = decodeFederatedEvent(
        { block, topics: topics.split(",") as Hex[], data },
        chainId,
        federated,
      );
      return event === undefined ? [] : [event];
    });
    const [first] = events;
    return first?.kind === "posted" ? pastRoundsOf(first.terms, events, provider) : undefined;
  };
  return (provider) => {
    const account = provider.toLowerCase() as Address;
    const rows = [
      ...paid.all(account, claimed!, wordOf(account), RECORD_JOBS),
      ...slashed.all(account, released!, wordOf(account), RECORD_JOBS),
    ];
    return [...new Set(rows.map(({ job }) => job as string))].flatMap((job) => pastOf(job, account) ?? []);
  };
}

/** An account as a topic. */
function wordOf(account: Address): Hex {
  return `0x${account.slice(2).padStart(64, "0")}`;
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
