import { createReadStream, createWriteStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { pipeline } from "node:stream/promises";
import { type Pack, pack } from "tar-stream";
import type { Abortable } from "../async/abort.ts";
import { IchainError } from "../errors/error.ts";
import { type BackupContent, CONTENT, isDatabase, keptFiles } from "./content.ts";
import { markMoved } from "./marks.ts";
import { sealing } from "./seal.ts";

/**
 * Writes the home's keys, journal, configuration, the files of its jobs and of its gossip peers to `file`, encrypted with the password. The
 * caller holds the locks of the home: nothing in it changes meanwhile. A home that is `moved` acts no more, from before
 * the file is there under its name.
 * @throws BACKUP_EXISTS, BACKUP_FAILED
 */
export async function writeBackup(
  file: string,
  content: BackupContent,
  { password, signal }: Abortable & { readonly password: string },
): Promise<{ readonly files: number; readonly bytes: number }> {
  const partial = `${file}.part`;
  const copy = join(content.home, "database.backup");
  if (await stat(file).catch(() => undefined)) throw exists(file);
  try {
    const paths = await keptFiles(content.home);
    const { header, seal } = await sealing(password);
    await using handle = await open(partial, "wx", 0o600);
    await handle.write(header);
    const archive = pack();
    const written = pipeline(archive, seal, createWriteStream(partial, { fd: handle.fd, autoClose: false }), {
      signal,
    });
    const filled = fill(archive, content, { paths, copy }, signal);
    // Whichever fails says why; the other one only that it was cut off.
    filled.catch((error: Error) => archive.destroy(error));
    await Promise.all([written, filled]);
    await handle.sync();
    const { size } = await handle.stat();
    if (content.moved) await markMoved(content.home, file);
    await rename(partial, file);
    return { files: paths.length, bytes: size };
  } catch (cause) {
    signal.throwIfAborted();
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw exists(partial);
    await rm(partial, { force: true });
    throw new IchainError("BACKUP_FAILED", `The backup could not be written to ${file}.`, { cause });
  } finally {
    await rm(copy, { force: true });
  }
}

async function fill(
  archive: Pack,
  content: BackupContent,
  { paths, copy }: { readonly paths: readonly string[]; readonly copy: string },
  signal: AbortSignal,
): Promise<void> {
  const text = JSON.stringify(content);
  await new Promise<void>((resolve, reject) =>
    archive.entry({ name: CONTENT, mode: 0o600 }, text, (error) => (error ? reject(error) : resolve())),
  );
  for (const path of paths) {
    const source = join(content.home, path);
    if (isDatabase(path)) {
      await copyDatabase(source, copy);
      await addFile(archive, path, copy, signal);
      await rm(copy);
    } else await addFile(archive, path, source, signal);
  }
  archive.finalize();
}

async function addFile(archive: Pack, name: string, path: string, signal: AbortSignal): Promise<void> {
  const { size, mode } = await stat(path);
  const entry = archive.entry({ name, size, mode: mode & 0o700 });
  await pipeline(createReadStream(path), entry, { signal });
}

/** Copies a whole database, what its write-ahead log holds included, to `target`, which must not be there. */
async function copyDatabase(source: string, target: string): Promise<void> {
  const db = new DatabaseSync(source, { readOnly: true });
  try {
    await backup(db, target);
  } finally {
    db.close();
  }
  // One file: a log beside the copy would be lost with it.
  const copy = new DatabaseSync(target);
  try {
    copy.exec("PRAGMA journal_mode = DELETE");
  } finally {
    copy.close();
  }
}

function exists(file: string): IchainError {
  return new IchainError("BACKUP_EXISTS", `There is a file ${file} already; it was left as it is.`);
}
