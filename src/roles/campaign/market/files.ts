import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Hex } from "../../../protocol/ids.ts";
import { jobFolder } from "../../shared/job-folder.ts";

/** Paths of what a home keeps of a campaign. */
export function campaignFiles(jobsDir: string, campaign: Hex) {
  const { dir } = jobFolder(jobsDir, "campaign", campaign);
  return {
    dir,
    /** Rows that this home serves, by their blob's root. */
    own: (root: Hex) => join(dir, `${root.slice(2)}.rows`),
    /** Rows of an entry, as they were fetched and checked. */
    entry: (entry: number) => join(dir, `entry-${entry}.rows`),
    /** The key of that entry's parcel, in a private campaign. */
    key: (entry: number) => join(dir, `entry-${entry}.key`),
    /** A version's model, encrypted, as it was fetched. */
    version: (number: number) => join(dir, `version-${number}.parcel`),
    /** Rows of a slice of the test set that was shown, as they were fetched. */
    slice: (slice: number) => join(dir, `slice-${slice}.rows`),
    /** The hidden test set with its salts, of the campaign's owner. */
    hidden: join(dir, "hidden.json"),
  } as const;
}

/** Writes a file whole or not at all, for its owner alone. */
export async function keepFile(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(`${path}.tmp`, content, { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}
