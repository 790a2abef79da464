import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Abortable } from "../../../../async/abort.ts";
import { IchainError } from "../../../../errors/error.ts";
import type { Hex } from "../../../../protocol/ids.ts";

const MAX_ENTRIES = 100_000;
/** A task's user owns nothing of the folder. */
const [READ, SEARCH] = [0o004, 0o005];

/**
 * The folder as it is mounted, once it is seen that a task can read all of it and finds nothing of ichain's own there.
 * Links in it stay: inside a container they lead nowhere else on this machine.
 * @throws OWN_DATA_UNUSABLE
 */
export async function checkedFolder(path: string, home: string, options: Abortable): Promise<string> {
  const real = await realpath(path).catch((cause: unknown) => {
    throw unusable(path, "it is not there", cause);
  });
  if (real !== path) throw unusable(path, `it is a link to ${real}: name that folder itself`);
  const own = await realpath(home);
  if (isWithin(real, own) || isWithin(own, real))
    throw unusable(path, "it holds ichain's home, or lies in it");
  let count = 0;
  for await (const { mode, directory, name } of entriesOf(real, "", options)) {
    if (++count > MAX_ENTRIES) throw unusable(path, `it has more than ${MAX_ENTRIES} files`);
    const wanted = directory ? SEARCH : READ;
    if ((mode & wanted) !== wanted)
      throw unusable(path, `"${name || "."}" is not readable for the task's user: chmod -R o+rX ${path}`);
  }
  return real;
}

/** SHA-256 of a salt, and of the name, size and bytes of each file: says nothing to one who does not know the salt. */
export async function saltedDigest(folder: string, salt: Hex, { signal }: Abortable): Promise<Hex> {
  const hash = createHash("sha256").update(salt);
  for await (const { directory, name, size } of entriesOf(folder, "", { signal })) {
    if (directory) continue;
    hash.update(`\n${JSON.stringify([name, size])}\n`);
    await pipeline(
      createReadStream(join(folder, name)),
      async (bytes: AsyncIterable<Uint8Array>) => {
        for await (const chunk of bytes) hash.update(chunk);
      },
      { signal },
    );
  }
  return `0x${hash.digest("hex")}`;
}

interface Entry {
  /** Below the folder; empty for itself. */
  readonly name: string;
  readonly directory: boolean;
  readonly mode: number;
  readonly size: number;
}

/** The folder and all plain files and folders in it, in the order of their names. */
async function* entriesOf(folder: string, name: string, options: Abortable): AsyncGenerator<Entry> {
  options.signal.throwIfAborted();
  const info = await lstat(join(folder, name));
  if (!info.isDirectory() && !info.isFile()) return;
  yield { name, directory: info.isDirectory(), mode: info.mode, size: info.size };
  if (!info.isDirectory()) return;
  for (const one of (await readdir(join(folder, name))).sort())
    yield* entriesOf(folder, join(name, one), options);
}

const isWithin = (path: string, folder: string) => path === folder || path.startsWith(folder + sep);

function unusable(path: string, why: string, cause?: unknown): IchainError {
  return new IchainError("OWN_DATA_UNUSABLE", `The data folder ${path} cannot be given to tasks: ${why}.`, {
    cause,
  });
}
