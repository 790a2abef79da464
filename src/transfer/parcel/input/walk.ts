import { type BigIntStats, lstatSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { AbortOptions } from "../../../async/abort.ts";
import { MAX_FILES, MAX_PARCEL_BYTES } from "../../../protocol/limits.ts";
import { checkPath, checkPaths, comparePaths, quotePath } from "../../../protocol/parcel/paths.ts";
import { checkOwn, inputMissing, inputTooLarge, unsupportedFile } from "../errors.ts";

/** A regular file to pack, as it was when it was listed. */
export interface InputFile {
  readonly path: string;
  readonly absolute: string;
  /** Bytes. */
  readonly size: number;
  readonly executable: boolean;
  /** Another string once the file has changed (`stampOf`). */
  readonly stamp: string;
}

/**
 * Lists `paths` below `root` in archive order; a folder stands for everything below it, `.` for the root. No symbolic
 * link is followed, neither at the end of a path nor in its folders.
 * @throws PARCEL_UNSUPPORTED_FILE, PARCEL_UNSAFE_PATH, PARCEL_INPUT_MISSING, PARCEL_INPUT_TOO_LARGE; the signal's
 *   reason
 */
export async function listFiles(
  root: string,
  paths: readonly string[],
  options: AbortOptions = {},
): Promise<InputFile[]> {
  const found = new Map<string, InputFile>();
  let bytes = 0;

  const visit = async (path: string): Promise<void> => {
    options.signal?.throwIfAborted();
    const absolute = join(root, path);
    const stats = lstatInput(absolute, path);
    if (stats.isDirectory()) {
      for (const entry of await readdir(absolute, { encoding: "buffer" })) {
        const child = path === "." ? nameOf(entry) : `${path}/${nameOf(entry)}`;
        checkOwn(() => checkPath(child));
        await visit(child);
      }
      return;
    }
    if (!stats.isFile()) throw unsupportedFile(quotePath(path), kindOf(stats));
    if (found.has(path)) return;
    const executable = (stats.mode & 0o111n) !== 0n;
    found.set(path, { path, absolute, size: Number(stats.size), executable, stamp: stampOf(stats) });
    bytes += Number(stats.size);
    if (found.size > MAX_FILES) throw inputTooLarge(`more than ${MAX_FILES} files`);
    if (bytes > MAX_PARCEL_BYTES) throw inputTooLarge("more than 1 TiB");
  };

  for (const path of paths) {
    if (path !== ".") {
      checkOwn(() => checkPath(path));
      checkParents(root, path);
    }
    await visit(path);
  }
  checkOwn(() => checkPaths([...found.keys()]));
  return [...found.values()].sort((a, b) => comparePaths(a.path, b.path));
}

/** Device, inode, size, times and mode of a file in one string. */
export function stampOf(stats: BigIntStats): string {
  return [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs, stats.mode].join(":");
}

function checkParents(root: string, path: string): void {
  const segments = path.split("/");
  for (let i = 1; i < segments.length; i++) {
    const parent = segments.slice(0, i).join("/");
    const stats = lstatInput(join(root, parent), parent);
    if (!stats.isDirectory()) throw unsupportedFile(quotePath(parent), kindOf(stats));
  }
}

function lstatInput(absolute: string, path: string): BigIntStats {
  try {
    return lstatSync(absolute, { bigint: true }); // synchronous for the reason given at SMALL_FILE
  } catch (cause) {
    throw inputMissing(quotePath(path), cause);
  }
}

/** The name in UTF-8. Any other bytes would become U+FFFD, a name that no file has. */
function nameOf(entry: Buffer): string {
  const name = entry.toString("utf8");
  if (!Buffer.from(name).equals(entry))
    throw unsupportedFile(quotePath(name), "named in bytes that are not UTF-8");
  return name;
}

function kindOf(stats: BigIntStats): string {
  if (stats.isSymbolicLink()) return "a symbolic link";
  if (stats.isFIFO()) return "a FIFO";
  if (stats.isSocket()) return "a socket";
  return stats.isFile() ? "a file" : "a device";
}
