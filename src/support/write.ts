import { open, rm } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { pack } from "tar-stream";
import { IchainError } from "../errors/error.ts";

/** One file of a support bundle. */
export interface SupportFile {
  readonly name: string;
  /** What it is, in a few words. */
  readonly about: string;
  readonly text: string;
}

/**
 * Writes what `collect` finds as a tar archive, compressed by gzip, that its owner alone may read; resolves with its
 * size, bytes. The file is taken first: collecting needs a while.
 * @throws TARGET_EXISTS, SUPPORT_UNWRITABLE, what `collect` throws
 */
export async function writeSupport(
  path: string,
  collect: () => Promise<readonly SupportFile[]>,
  folder: string,
): Promise<{ readonly files: readonly SupportFile[]; readonly bytes: number }> {
  const handle = await open(path, "wx", 0o600).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === "EEXIST" ? exists(path) : unwritable(path, cause);
  });
  await using _ = handle;
  try {
    const files = await collect();
    const archive = pack();
    for (const { name, text } of files) archive.entry({ name: `${folder}/${name}`, mode: 0o600 }, text);
    archive.finalize();
    const bytes = await promisify(gzip)(await buffer(archive));
    await handle.writeFile(bytes).catch((cause: unknown) => {
      throw unwritable(path, cause);
    });
    return { files, bytes: bytes.length };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

function exists(path: string): IchainError {
  return new IchainError("TARGET_EXISTS", `${path} is there already; it was left as it is.`, {
    hint: "Name another file with --out.",
  });
}

function unwritable(path: string, cause: unknown): IchainError {
  return new IchainError("SUPPORT_UNWRITABLE", `The support bundle cannot be written to ${path}.`, { cause });
}
