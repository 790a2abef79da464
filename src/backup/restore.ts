import { randomBytes } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import type { Abortable } from "../async/abort.ts";
import { IchainError } from "../errors/error.ts";
import { dropUnderWay } from "../gossip/store.ts";
import { journalMigrations } from "../journal/schema.ts";
import { openSqlite } from "../sqlite/open.ts";
import { type BackupContent, CONTENT, contentSchema, isKept, MAX_CONTENT_BYTES } from "./content.ts";
import { markRestored } from "./marks.ts";
import { opening, unreadable } from "./seal.ts";

/**
 * Makes `home`, which must be absent or empty, of a backup; all of it appears at once, or none. A backup of a home that
 * was not moved is refused unless its owner says that it is `lost`: both would act.
 * @throws BACKUP_UNREADABLE, STATE_TOO_NEW, BACKUP_NOT_MOVED, HOME_NOT_EMPTY, RESTORE_FAILED
 */
export async function restoreBackup(
  file: string,
  home: string,
  { password, lost, signal }: Abortable & { readonly password: string; readonly lost: boolean },
): Promise<BackupContent> {
  const part = join(dirname(home), `.${randomBytes(6).toString("hex")}.restoring`);
  await using handle = await open(file, "r").catch((cause: unknown) => {
    throw unreadable(cause);
  });
  try {
    await mkdir(part, { recursive: true, mode: 0o700 });
    const { start, end, open: decrypt } = await opening({ file: handle, path: file }, password);
    const unpacking = extract();
    const sealed = createReadStream(file, { start, end: end - 1 });
    const [content] = await Promise.all([
      unpack(unpacking, part, signal),
      pipeline(sealed, decrypt, unpacking, { signal }),
    ]);
    if (!content.moved && !lost) throw notMoved(content);
    relocateJournal(join(part, "journal.db"), content.home, home);
    if (!content.moved) await stopPeers(join(part, "gossip"));
    await markRestored(part, content);
    await rmdir(home).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw notEmpty(home, error);
    });
    await rename(part, home);
    return content;
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof IchainError) throw cause;
    throw new IchainError("RESTORE_FAILED", `The backup could not be restored to ${home}.`, { cause });
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

/** Writes the archive's files into `folder`. Nothing of it may count before the whole stream is authenticated. */
async function unpack(
  entries: ReturnType<typeof extract>,
  folder: string,
  signal: AbortSignal,
): Promise<BackupContent> {
  let content: BackupContent | undefined;
  try {
    for await (const entry of entries) {
      const { name, type, size = 0, mode = 0o600 } = entry.header;
      if (content === undefined) {
        if (name !== CONTENT || size > MAX_CONTENT_BYTES) throw unreadable();
        content = contentSchema.parse(JSON.parse(await text(entry as unknown as Readable)));
        continue;
      }
      if (type !== "file" || !isKept(name)) throw unreadable();
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await pipeline(
        entry as unknown as Readable,
        createWriteStream(path, { flags: "wx", mode: mode & 0o700 }),
        { signal },
      );
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).syscall !== undefined) throw cause;
    throw unreadable(cause);
  }
  if (content === undefined) throw unreadable();
  return content;
}

/** Leads the paths in a journal's records, which are absolute, from one home to another. */
function relocateJournal(path: string, from: string, to: string): void {
  if (!existsSync(path)) return;
  const db = openSqlite({ name: "journal", path, migrations: journalMigrations, check: true });
  try {
    // Records are JSON: a path is the beginning of a string.
    const [before, after] = [from, to].map((home) => JSON.stringify(`${home}/`).slice(0, -1));
    const change = db.prepare(
      "UPDATE steps SET intent = replace(intent, ?1, ?2), outcome = replace(outcome, ?1, ?2)",
    );
    change.run(before!, after!);
  } finally {
    db.close();
  }
}

/** The peers of a copy may have gone on since: what they had under way is theirs no longer. */
async function stopPeers(folder: string): Promise<void> {
  const networks = await readdir(folder).catch(() => []);
  for (const network of networks) {
    const path = join(folder, network, "peer.db");
    if (existsSync(path)) dropUnderWay(path);
  }
}

function notMoved({ at, home }: BackupContent): IchainError {
  const when = new Date(at * 1000).toISOString();
  return new IchainError("BACKUP_NOT_MOVED", `This is a copy of ${home} of ${when}, which may still act.`);
}

function notEmpty(home: string, cause: unknown): IchainError {
  return new IchainError("HOME_NOT_EMPTY", `There is something in ${home} already; it was left as it is.`, {
    cause,
  });
}
