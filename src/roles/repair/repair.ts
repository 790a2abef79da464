import { basename, dirname } from "node:path";
import type { Abortable } from "../../async/abort.ts";
import type { Journal } from "../../ports/journal.ts";
import type { MarketReader } from "../../ports/market.ts";
import type { Address } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job/job.ts";
import { markLost } from "../shared/see-out.ts";
import { assess, type JobRole, rolesAtStake, type Standing } from "./assess.ts";

export interface Found {
  readonly job: Job;
  readonly role: JobRole;
  readonly standing: Standing;
}

export interface Repaired {
  readonly open: readonly Found[];
  /** Folders of jobs that the journal does not know: nothing is at stake in them. */
  readonly strangers: readonly string[];
}

interface Sources {
  /** Folders of jobs that lie here. */
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
 * Brings the journal to what the chain says of this account's jobs: undertakings that it lacks are opened
 * again, and those whose keys are gone are marked, so that they are seen to their end at the least cost.
 */
export async function repair(
  { market, account, journal, folders }: Sources,
  options: Abortable,
): Promise<Repaired> {
  const found: Found[] = [];
  for (const { job, role } of await unfinishedJobs(market, account, options)) {
    // Finished in the journal: given up on purpose, and known.
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
  const strangers = folders.filter((folder) => {
    const role = basename(dirname(folder)) as JobRole;
    return journal.find(role, `0x${basename(folder)}`) === undefined;
  });
  return { open: found, strangers };
}
