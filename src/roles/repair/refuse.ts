import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import type { Journal } from "../../ports/journal.ts";
import type { MarketReader } from "../../ports/market.ts";
import type { Address } from "../../protocol/ids.ts";
import { unfinishedJobs } from "./repair.ts";

interface Home {
  readonly market: MarketReader;
  readonly account: Address;
  readonly jobsDir: string;
}

/** Folders of jobs below `jobsDir`. */
export async function jobFolders(jobsDir: string): Promise<string[]> {
  const roles = ["requester", "provider", "validator"];
  const lists = await Promise.all(
    roles.map(async (role) => {
      const names = await readdir(join(jobsDir, role)).catch(() => []);
      return names.filter((name) => /^[0-9a-f]{64}$/.test(name)).map((name) => join(jobsDir, role, name));
    }),
  );
  return lists.flat();
}

/**
 * Refuses an empty journal when the account has unfinished jobs or their files are on this machine: a role that begins
 * without its journal would lose its stake in them.
 * @throws JOURNAL_LOST
 */
export async function refuseLostJournal(
  { market, account, jobsDir }: Home,
  path: string,
  options: Abortable,
): Promise<void> {
  const jobs = await unfinishedJobs(market, account, options);
  const folders = await jobFolders(jobsDir);
  if (jobs.length === 0 && folders.length === 0) return;
  const ids = [...new Set(jobs.map(({ job }) => job.id))];
  throw new IchainError(
    "JOURNAL_LOST",
    `The journal ${path} is missing or empty, but jobs of this account are not.`,
    { details: { path, jobs: ids, folders } },
  );
}

/**
 * Refuses to make a new keyring when the missing one is in use: messages that are sealed to its keys could no longer be
 * opened.
 * @throws KEYRING_MISSING
 */
export async function refuseLostKeyring(
  { market, account, journal }: Home & { journal: Journal },
  path: string,
  options: Abortable,
): Promise<void> {
  const used = !journal.isEmpty();
  if (!used && (await market.offer(account, options)) === undefined) return;
  throw new IchainError("KEYRING_MISSING", `The keyring ${path} is missing, but its keys are in use.`, {
    details: { path },
  });
}
