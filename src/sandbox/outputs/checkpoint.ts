import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, mkdir, open, opendir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { AbortOptions } from "../../async/abort.ts";
import { IchainError, isIchainError } from "../../errors/error.ts";
import type { Sandbox } from "../../ports/sandbox.ts";
import { neutraliseLine } from "../../protocol/neutralise.ts";
import { pathProblem } from "../../protocol/parcel/paths.ts";
import {
  CHECKPOINT_FILES,
  CHECKPOINT_FOLDER,
  type CheckpointRefusal,
  checkpointNumber,
} from "../../protocol/task/checkpoint.ts";

const { O_RDONLY, O_NOFOLLOW, O_DIRECTORY, O_NONBLOCK, O_WRONLY, O_CREAT, O_EXCL } = constants;
const BUFFER_BYTES = 1 << 20;
/** Names in the folder of checkpoints, at most: a task keeps a few. */
const MAX_NAMES = 10_000;

/**
 * Copies the newest complete checkpoint out of `outDir`, where its task may go on writing, and resolves with its number;
 * with undefined where there is no newer one, or it changed while it was copied. The copy has only regular files and
 * folders; holes count as bytes. Every level is opened through its parent (`/proc/self/fd`), so that no link is followed.
 * @throws CHECKPOINT_TOO_LARGE, CHECKPOINT_UNSAFE with the `number` among the details
 */
export async function copyCheckpoint(
  outDir: string,
  { after = -1, into, maxBytes }: Parameters<Sandbox["checkpoint"]>[1],
  { signal }: AbortOptions = {},
): Promise<number | undefined> {
  let left = { bytes: maxBytes, files: CHECKPOINT_FILES };
  const parent = await openFolder(join(outDir, CHECKPOINT_FOLDER)).catch(ignoreAbsent);
  if (parent === undefined) return undefined;
  let number = after;
  try {
    number = await newest(parent, after);
    if (number === after) return undefined;
    const folder = await openFolder(inside(parent, String(number))).catch(ignoreAbsent);
    if (folder === undefined) return undefined;
    try {
      await copyFolder(folder, "", into);
    } finally {
      await folder.close();
    }
    return number;
  } catch (error) {
    await rm(into, { recursive: true, force: true });
    if (error === CHANGED || isAbsent(error)) return undefined;
    if (isIchainError(error)) throw new IchainError(error.code, error.message, { details: { number } });
    throw error;
  } finally {
    await parent.close();
  }

  async function copyFolder(folder: FileHandle, path: string, to: string): Promise<void> {
    const before = await folder.stat({ bigint: true });
    await mkdir(to, { mode: 0o700 });
    for await (const name of namesIn(folder)) {
      signal?.throwIfAborted();
      if (left.files-- <= 0) throw refused("CHECKPOINT_TOO_LARGE", `has more than ${CHECKPOINT_FILES} files`);
      const inner = `${path}${name}`;
      if (pathProblem(inner) !== undefined || inner.includes("\ufffd"))
        throw refused("CHECKPOINT_UNSAFE", "has a name that is not plain");
      const entry = await openEntry(folder, name, inner);
      try {
        const info = await entry.stat({ bigint: true });
        if (info.isDirectory()) await copyFolder(entry, `${inner}/`, join(to, name));
        else await copyFile(entry, info, inner, join(to, name));
      } finally {
        await entry.close();
      }
    }
    if (stampOf(await folder.stat({ bigint: true })) !== stampOf(before)) throw CHANGED;
  }

  async function copyFile(file: FileHandle, info: BigIntStats, path: string, to: string): Promise<void> {
    const shown = neutraliseLine(path);
    if (!info.isFile()) throw refused("CHECKPOINT_UNSAFE", `has "${shown}", which is no regular file`);
    if (info.nlink > 1n) throw refused("CHECKPOINT_UNSAFE", `has "${shown}", which has more than one name`);
    const size = Number(info.size);
    if (size > left.bytes) throw refused("CHECKPOINT_TOO_LARGE", `has more than ${maxBytes} bytes`);
    left = { ...left, bytes: left.bytes - size };
    await using copy = await open(to, O_WRONLY | O_CREAT | O_EXCL, 0o600);
    const buffer = Buffer.allocUnsafe(Math.min(BUFFER_BYTES, size));
    for (let at = 0; at < size; ) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, size - at), at);
      if (bytesRead === 0) throw CHANGED;
      await copy.appendFile(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    if (stampOf(await file.stat({ bigint: true })) !== stampOf(info)) throw CHANGED;
  }
}

/** Thrown where a checkpoint changes while it is copied: it was not complete, or is being removed. */
const CHANGED = Symbol("changed");

/** The greatest number among the names; `after` where none is greater. */
async function newest(parent: FileHandle, after: number): Promise<number> {
  let [number, names] = [after, 0];
  for await (const name of namesIn(parent)) {
    if (++names > MAX_NAMES) throw refused("CHECKPOINT_UNSAFE", `is one of more than ${MAX_NAMES}`);
    number = Math.max(number, checkpointNumber(name) ?? number);
  }
  return number;
}

/** One by one: a folder can have more names than fit in memory. Bytes that are not UTF-8 become U+FFFD. */
async function* namesIn(folder: FileHandle): AsyncGenerator<string> {
  for await (const { name } of await opendir(`/proc/self/fd/${folder.fd}`)) yield name;
}

function openFolder(path: string): Promise<FileHandle> {
  return open(path, O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
}

/** Follows no link, does not wait for the other end of a FIFO, and has no effect on a device. */
async function openEntry(folder: FileHandle, name: string, path: string): Promise<FileHandle> {
  try {
    return await open(inside(folder, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ELOOP" && code !== "ENXIO") throw error;
    throw refused("CHECKPOINT_UNSAFE", `has "${neutraliseLine(path)}", which is no regular file`);
  }
}

const inside = (folder: FileHandle, name: string): string => `/proc/self/fd/${folder.fd}/${name}`;

/** What changes whenever a file or the list of a folder does. */
const stampOf = ({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [ino, size, mtimeNs, ctimeNs].join(":");

/** True where a file or folder is not there any more, or is no folder. */
function isAbsent(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function ignoreAbsent(error: unknown): undefined {
  if (!isAbsent(error)) throw error;
}

function refused(code: CheckpointRefusal, what: string): IchainError {
  return new IchainError(code, `The task's checkpoint ${what}.`);
}
