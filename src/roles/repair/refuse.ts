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
 * For a journal that knows of nothing: refuses to begin with it when the account has jobs under way or
 * their files lie here, since what was begun would be forgotten and its stake lost. Throws `JOURNAL_LOST`.
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
  throw new IchainError(`The journal ${path} is missing or empty, but jobs of this account are not.`, {
    code: "JOURNAL_LOST",
    class: "config",
    hint:
      'Bring the file back from a backup, or use the home that the jobs were begun in; "ichain journal ' +
      'repair" rebuilds what chain and disk still tell.',
    details: { path, jobs: ids, folders },
  });
}

/**
 * For a keyring that is not there: refuses to make a new one when the old one is in use, since everything
 * that is sealed to it would stay sealed. Throws `KEYRING_MISSING`.
 */
export async function refuseLostKeyring(
  { market, account, journal }: Home & { journal: Journal },
  path: string,
  options: Abortable,
): Promise<void> {
  const used = !journal.isEmpty();
  if (!used && (await market.offer(account, options)) === undefined) return;
  throw new IchainError(`The keyring ${path} is missing, but its keys are in use.`, {
    code: "KEYRING_MISSING",
    class: "config",
    hint:
      'Bring the file back from a backup. Without one, "ichain init --new-keyring" makes new keys: what ' +
      "was sealed to the old ones stays sealed, and open jobs that need it are lost.",
    details: { path },
  });
}
