import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { z } from "zod";

/** The first entry of the archive: what the rest is. */
export const CONTENT = "backup.json";
export const MAX_CONTENT_BYTES = 8192;

export const contentSchema = z.strictObject({
  version: z.literal(1),
  account: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
  /** Absolute path of the home, to which paths in the journal lead. */
  home: z.string().max(4096),
  /** Unix seconds. */
  at: z.number().int().nonnegative(),
  /** Transactions that the account had sent, those that wait included. */
  sent: z.number().int().nonnegative(),
  /** The home was left for good: it acts no more. */
  moved: z.boolean(),
});
export type BackupContent = z.infer<typeof contentSchema>;

/** What a home is made of; everything else is read from the chain again, built again, or of one machine only. */
const KEPT =
  /^(keystore\.json|keyring|config\.yaml|journal\.db|networks\/[\w.-]{1,128}|jobs\/(requester|provider|validator)\/[0-9a-f]{64}\/.+|jobs\/campaign\/[0-9a-f]{64}\/(hidden\.json|(entry-\d{1,9}|[0-9a-f]{64})\.(rows|key))|gossip\/[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}\/(peer\.db|model\.safetensors|neighbours\.json))$/;

/** Databases of a home, which may not be copied as files: a log beside them would be lost. */
export function isDatabase(path: string): boolean {
  return path === "journal.db" || path.endsWith("/peer.db");
}

/** True for a path of a home that a backup holds, and that leads to nowhere else. */
export function isKept(path: string): boolean {
  const parts = path.split("/");
  return KEPT.test(path) && !parts.includes("..") && !parts.includes("") && !parts.includes(".");
}

/** The files of the home that a backup holds, relative to it; no links. */
export async function keptFiles(home: string): Promise<string[]> {
  const entries = await readdir(home, { withFileTypes: true });
  const tops = entries.filter((one) => one.isFile()).map(({ name }) => name);
  const below = await Promise.all(
    ["networks", "jobs", "gossip"].map((folder) =>
      readdir(join(home, folder), { recursive: true, withFileTypes: true }).catch(() => []),
    ),
  );
  const deep = below
    .flat()
    .filter((one) => one.isFile())
    .map(({ parentPath, name }) => relative(home, join(parentPath, name)));
  return [...tops, ...deep].filter(isKept).toSorted();
}
