import { constants } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import type { AbortOptions } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import { MAX_PATH_BYTES, MAX_SEGMENT_BYTES } from "../../protocol/limits.ts";
import { neutraliseLine } from "../../protocol/neutralise.ts";

export interface OutputLimits {
  readonly maxBytes: number;
  readonly maxFiles: number;
  /** Folders below the root. */
  readonly maxDepth: number;
}

/** Size of outputs: bytes of content, and number of files and folders. */
export interface Footprint {
  readonly bytes: number;
  readonly files: number;
}

const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;
const { O_RDONLY, O_NOFOLLOW, O_DIRECTORY, O_NONBLOCK } = constants;

/**
 * Checks what a stopped task left in `root`, which may hold folders and regular files with one link, and sets their
 * modes to 0755 and 0644. Every level is opened through its parent (`/proc/self/fd`), so that no link is followed.
 * Holes in files count as bytes.
 * @throws OUTPUT_UNSAFE for a link, hard link, device, FIFO, socket, or a name that is too long or not printable UTF-8
 * @throws OUTPUT_TOO_LARGE
 */
export async function inspectOutputs(
  root: string,
  limits: OutputLimits,
  { signal }: AbortOptions = {},
): Promise<Footprint> {
  let [bytes, files] = [0, 0];
  const folder = await open(root, O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
  try {
    await inspectFolder(folder, "", 0);
  } finally {
    await folder.close();
  }
  return { bytes, files };

  async function inspectFolder(folder: FileHandle, path: string, depth: number): Promise<void> {
    if (depth > limits.maxDepth) throw tooLarge(`folders more than ${limits.maxDepth} deep`);
    const names = await readdir(`/proc/self/fd/${folder.fd}`, { encoding: "buffer" });
    for (const raw of names) {
      signal?.throwIfAborted();
      const name = checkName(raw, path);
      if (++files > limits.maxFiles) throw tooLarge(`more than ${limits.maxFiles} files`);
      const entry = await openEntry(folder, name, path);
      try {
        const info = await entry.stat();
        if (info.isDirectory()) await inspectFolder(entry, `${path}${name}/`, depth + 1);
        else if (!info.isFile()) throw unsafe(`${path}${name}`, "is no regular file");
        else if (info.nlink > 1) throw unsafe(`${path}${name}`, "has more than one name");
        else {
          bytes += info.size;
          if (bytes > limits.maxBytes) throw tooLarge(`more than ${limits.maxBytes} bytes`);
          await setMode(entry, info.mode, FILE_MODE);
        }
      } finally {
        await entry.close();
      }
    }
    await setMode(folder, (await folder.stat()).mode, FOLDER_MODE);
  }
}

async function setMode(entry: FileHandle, has: number, wanted: number): Promise<void> {
  if ((has & 0o7777) !== wanted) await entry.chmod(wanted);
}

/** Follows no link, does not wait for the other end of a FIFO, and has no effect on a device. */
async function openEntry(folder: FileHandle, name: string, path: string): Promise<FileHandle> {
  try {
    return await open(`/proc/self/fd/${folder.fd}/${name}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ELOOP" || code === "ENXIO") throw unsafe(`${path}${name}`, "is no regular file", cause);
    throw cause;
  }
}

function checkName(raw: Buffer, path: string): string {
  const name = raw.toString("utf8");
  const shown = `${path}${name}`.slice(0, 200);
  if (!Buffer.from(name, "utf8").equals(raw)) throw unsafe(shown, "has a name that is not UTF-8");
  if (raw.length > MAX_SEGMENT_BYTES || Buffer.byteLength(path) + raw.length > MAX_PATH_BYTES) {
    throw unsafe(shown, "has too long a name");
  }
  if (/[\p{Cc}\\]/u.test(name)) throw unsafe(shown, "has a control character or backslash in its name");
  return name;
}

function unsafe(path: string, why: string, cause?: unknown): IchainError {
  return new IchainError("OUTPUT_UNSAFE", `The output "${neutraliseLine(path)}" ${why}.`, {
    details: { path },
    cause,
  });
}

function tooLarge(what: string): IchainError {
  return new IchainError("OUTPUT_TOO_LARGE", `The task's outputs hold ${what}.`);
}
