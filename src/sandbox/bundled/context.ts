import { createReadStream } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Pack, pack } from "tar-stream";
import type { AbortOptions } from "../../async/abort.ts";

/** A tar stream of the regular files below `dir`, if there is one, and of `extra` files (name → text); without links, owners and times. */
export function packContext(
  dir: string | undefined,
  extra: Readonly<Record<string, string>>,
  { signal }: AbortOptions = {},
): Readable {
  const archive = pack();
  fill(archive, dir, extra, { signal }).then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error as Error),
  );
  return Readable.from(archive);
}

async function fill(
  archive: Pack,
  dir: string | undefined,
  extra: Readonly<Record<string, string>>,
  { signal }: AbortOptions,
): Promise<void> {
  const plain = { mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 };
  const names = dir === undefined ? [] : await readdir(dir, { recursive: true });
  for (const name of names.sort()) {
    signal?.throwIfAborted();
    const path = join(dir!, name);
    const info = await lstat(path);
    if (!info.isFile() || name in extra) continue;
    const mode = info.mode & 0o111 ? 0o755 : 0o644;
    await pipeline(createReadStream(path), archive.entry({ ...plain, name, size: info.size, mode }));
  }
  for (const [name, text] of Object.entries(extra)) archive.entry({ ...plain, name }, text);
}
