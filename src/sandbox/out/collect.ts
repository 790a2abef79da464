import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir } from "node:fs/promises";
import { IchainError } from "../../errors.ts";

export interface CollectLimits {
  readonly maxBytes: number;
  readonly maxFiles: number;
  /** Folders below the root. */
  readonly maxDepth: number;
}

export const MAX_OUTPUT_FILES = 100_000;
export const MAX_OUTPUT_DEPTH = 32;
const MAX_NAME_BYTES = 255;
const MAX_PATH_BYTES = 1024;
const COPY_BYTES = 4 << 20;
const { O_RDONLY, O_NOFOLLOW, O_DIRECTORY, O_NONBLOCK, O_WRONLY, O_CREAT, O_EXCL } = constants;

interface Budget {
  bytes: number;
  files: number;
}

/**
 * Copies what a stopped task left in `from` to the new folder `into`: regular files with one name and
 * folders, nothing else, with plain modes and without holes kept. Every step down goes through the open
 * folder (`/proc/self/fd`), so no link is followed at any level. Throws class `untrusted` with
 * `OUTPUT_UNSAFE` (a link, device, hard link, odd name) or `OUTPUT_TOO_LARGE`.
 */
export async function collect(
  from: string,
  into: string,
  limits: CollectLimits,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<{ bytes: number; files: number }> {
  const spent: Budget = { bytes: 0, files: 0 };
  const root = await open(from, O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
  try {
    await copyFolder(root, into, "", 0);
  } finally {
    await root.close();
  }
  return spent;

  async function copyFolder(folder: FileHandle, target: string, path: string, depth: number): Promise<void> {
    if (depth > limits.maxDepth) throw tooLarge(`folders more than ${limits.maxDepth} deep`);
    await mkdir(target, { mode: 0o755 });
    const names = await readdir(`/proc/self/fd/${folder.fd}`, { encoding: "buffer" });
    for (const raw of names.sort(Buffer.compare)) {
      signal?.throwIfAborted();
      const name = checkName(raw, path);
      if (++spent.files > limits.maxFiles) throw tooLarge(`more than ${limits.maxFiles} files`);
      const entry = await openEntry(folder, name, path);
      try {
        const info = await entry.stat();
        if (info.isDirectory()) await copyFolder(entry, `${target}/${name}`, `${path}${name}/`, depth + 1);
        else if (!info.isFile()) throw unsafe(`${path}${name}`, "is no regular file");
        else if (info.nlink > 1) throw unsafe(`${path}${name}`, "has more than one name");
        else await copyFile(entry, `${target}/${name}`);
      } finally {
        await entry.close();
      }
    }
  }

  async function copyFile(source: FileHandle, target: string): Promise<void> {
    const { size } = await source.stat();
    if (size > limits.maxBytes - spent.bytes) throw tooLarge(`more than ${limits.maxBytes} bytes`);
    const sink = await open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
    try {
      const buffer = Buffer.allocUnsafe(Math.min(COPY_BYTES, size + 1));
      for (;;) {
        signal?.throwIfAborted();
        const { bytesRead } = await source.read(buffer, 0, buffer.length);
        if (bytesRead === 0) return;
        spent.bytes += bytesRead;
        if (spent.bytes > limits.maxBytes) throw tooLarge(`more than ${limits.maxBytes} bytes`);
        await sink.writeFile(buffer.subarray(0, bytesRead));
      }
    } finally {
      await sink.close();
    }
  }
}

/** Opening must not follow a link, wait for the other end of a FIFO, or touch a device. */
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
  if (raw.length > MAX_NAME_BYTES || Buffer.byteLength(path) + raw.length > MAX_PATH_BYTES) {
    throw unsafe(shown, "has too long a name");
  }
  if (/[\p{Cc}\\]/u.test(name)) throw unsafe(shown, "has a control character or backslash in its name");
  return name;
}

function unsafe(path: string, why: string, cause?: unknown): IchainError {
  return new IchainError(`The output ${JSON.stringify(path)} ${why}.`, {
    code: "OUTPUT_UNSAFE",
    class: "untrusted",
    hint: "A task may leave regular files and folders in /out, nothing else.",
    details: { path },
    cause,
  });
}

function tooLarge(what: string): IchainError {
  return new IchainError(`The task's outputs hold ${what}.`, {
    code: "OUTPUT_TOO_LARGE",
    class: "untrusted",
    hint: "The job must ask for more disk, or write less.",
  });
}
