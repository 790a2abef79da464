import { basename, dirname } from "node:path";
import type { Abortable } from "../../async/abort.ts";
import type { JobRole, Journal } from "../../ports/journal.ts";
import type { MarketReader } from "../../ports/market.ts";
import type { Address } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job/job.ts";
import { markLost } from "../shared/lost-job.ts";
import { assess, rolesAtStake, type Standing } from "./assess.ts";

export interface Found {
  readonly job: Job;
  readonly role: JobRole;
  readonly standing: Standing;
}

export interface Repaired {
  readonly open: readonly Found[];
  /** Folders of jobs that the journal does not know; no stake depends on them. */
  readonly unknownFolders: readonly string[];
}

interface Sources {
  /** Folders of jobs on this machine. */
  readonly folders: readonly string[];
  readonly market: MarketReader;
  readonly account: Address;
  readonly journal: Journal;
}

/** The account's jobs that are not final, in each role in which they need a journal. */
export async function unfinishedJobs(
  market: MarketReader,
  account: Address,
  options: Abortable,
): Promise<{ job: Job; role: JobRole }[]> {
  const lists = [
    await market.jobs({ requester: account }, options),
    await market.jobs({ provider: account }, options),
    await market.jobs({ validator: account }, options),
  ];
  const jobs = new Map(lists.flat().map((job) => [job.id, job]));
  return [...jobs.values()].flatMap((job) => rolesAtStake(job, account).map((role) => ({ job, role })));
}

/**
 * Completes the journal from the chain: opens the undertakings that it lacks and marks those whose keys are gone, so
 * that the role only waits for the end of such a job.
 */
export async function repair(
  { market, account, journal, folders }: Sources,
  options: Abortable,
): Promise<Repaired> {
  const found: Found[] = [];
  for (const { job, role } of await unfinishedJobs(market, account, options)) {
    // The role gave the job up before.
    if (journal.find(role, job.id)?.finished !== undefined) continue;
    const record = journal.open(role, job.id);
    const standing = assess(job, role, record);
    found.push({ job, role, standing });
    if (standing === "again") {
      const accepted = { kind: "accept", block: job.postedBlock };
      await record.step("accept", { prepare: () => accepted, act: (known) => known });
    }
    if (standing === "lost") await markLost(record, job);
    record.note(`the journal was repaired: ${standing}`);
  }
  journal.open("account", `repair-${Date.now()}`).finish("done");
  const unknownFolders = folders.filter((folder) => {
    const role = basename(dirname(folder)) as JobRole;
    return journal.find(role, `0x${basename(folder)}`) === undefined;
  });
  return { open: found, unknownFolders };
}
