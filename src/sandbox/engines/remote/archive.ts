import { constants, createReadStream } from "node:fs";
import { lstat, mkdir, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { extract, type Pack, pack } from "tar-stream";
import type { AbortOptions } from "../../../async/abort.ts";
import { IchainError } from "../../../errors/error.ts";
import { MAX_DEPTH, MAX_FILES, MAX_PATH_BYTES } from "../../../protocol/limits.ts";

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

/** The files and folders below `dir` as a tar stream; links and devices are left out. */
export function packFolder(dir: string): NodeJS.ReadableStream {
  const tar = pack();
  add(tar, dir, "")
    .then(() => tar.finalize())
    .catch((error: Error) => tar.destroy(error));
  return tar as unknown as NodeJS.ReadableStream;
}

async function add(tar: Pack, dir: string, prefix: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const [path, shown] = [join(dir, name), `${prefix}${name}`];
    const info = await lstat(path);
    const mode = info.mode & 0o777;
    if (info.isDirectory()) {
      tar.entry({ name: `${shown}/`, type: "directory", mode });
      await add(tar, path, `${shown}/`);
    } else if (info.isFile()) {
      await pipeline(createReadStream(path), tar.entry({ name: shown, mode, size: info.size }));
    }
  }
}

/**
 * Writes an engine's archive of a stopped task's folder `root` into the empty folder `into`. The content is untrusted:
 * only regular files and folders below `root` are accepted, each path once, within `maxBytes` and the limits of
 * `inspectOutputs` on files, depth and names.
 * @throws OUTPUT_UNSAFE, OUTPUT_TOO_LARGE
 */
export async function unpackFolder(
  archive: NodeJS.ReadableStream,
  { root, into, maxBytes }: { root: string; into: string; maxBytes: number },
  { signal }: AbortOptions = {},
): Promise<void> {
  let [bytes, files] = [0, 0];
  const tar = extract();
  const reading = pipeline(archive, tar, signal ? { signal } : {});
  reading.catch(() => undefined); // thrown below, by the entries
  try {
    for await (const entry of tar) {
      const { name, type, size = 0 } = entry.header;
      const path = below(root, name);
      if (path !== "") {
        if (++files > MAX_FILES) throw tooLarge(`more than ${MAX_FILES} files`);
        bytes += size;
        if (bytes > maxBytes) throw tooLarge(`more than ${maxBytes} bytes`);
        if (type === "directory") await mkdir(join(into, path), { mode: 0o755 }).catch(duplicate(path));
        else if (type === "file")
          await writeEntry(entry as AsyncIterable<Uint8Array>, join(into, path)).catch(duplicate(path));
        else throw unsafe(path, `is not a regular file but a ${type ?? "entry without a type"}`);
      }
      entry.resume();
    }
    await reading;
  } finally {
    tar.destroy(); // ends the archive too, which may not have been read to its end
  }
}

async function writeEntry(entry: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
  try {
    for await (const chunk of entry) await file.writeFile(chunk);
  } finally {
    await file.close();
  }
}

/**
 * The path of an entry below `root`; empty for the root itself.
 * @throws OUTPUT_UNSAFE, OUTPUT_TOO_LARGE
 */
function below(root: string, name: string): string {
  const parts = name.replace(/\/$/, "").split("/");
  if (parts.shift() !== root) throw unsafe(name, "has a path outside the folder of outputs");
  const path = parts.join("/");
  if (parts.some((part) => part === "" || part === "." || part === ".."))
    throw unsafe(name, "has a path outside the folder of outputs");
  if (parts.length - 1 > MAX_DEPTH) throw tooLarge(`folders more than ${MAX_DEPTH} deep`);
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw unsafe(name, "has too long a name");
  if (/[\p{Cc}\\\uFFFD]/u.test(path))
    throw unsafe(name, "has a control character, a backslash or invalid UTF-8 in its name");
  return path;
}

function duplicate(path: string) {
  return (error: unknown): never => {
    const { code } = error as NodeJS.ErrnoException;
    throw code === "EEXIST" || code === "ENOENT" || code === "ENOTDIR" ? unsafe(path, "occurs twice") : error;
  };
}

function unsafe(path: string, why: string): IchainError {
  return new IchainError("OUTPUT_UNSAFE", `The output ${JSON.stringify(path.slice(0, 200))} ${why}.`);
}

function tooLarge(what: string): IchainError {
  return new IchainError("OUTPUT_TOO_LARGE", `The task's outputs hold ${what}.`);
}
