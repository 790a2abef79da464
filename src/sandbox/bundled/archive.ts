import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, type Header } from "tar-stream";
import type { AbortOptions } from "../../async/abort.ts";
import { IchainError, isIchainError } from "../../errors/error.ts";

const MAX_ENTRIES = 1_000_000;
/** Types of entries in a root filesystem. No block devices, and no sparse files, whose size no header limits. */
const KINDS = new Set([
  "file",
  "link",
  "symlink",
  "directory",
  "character-device",
  "fifo",
  "contiguous-file",
]);

/**
 * Checks a root-filesystem archive (an uncompressed tar) before the engine reads it: its SHA-256 is `digest`, its
 * entries hold at most `maxBytes` together, and all are of the types that a root filesystem needs.
 * @throws IMAGE_MALFORMED
 */
export async function checkArchive(
  path: string,
  { digest, maxBytes }: { digest: string; maxBytes: number },
  { signal }: AbortOptions = {},
): Promise<void> {
  const hash = createHash("sha256");
  const entries = extract();
  let [bytes, count] = [0, 0];
  entries.on("entry", (header, content, next) => {
    content.on("error", () => undefined); // reported by the archive
    bytes += header.size ?? 0;
    const why = entryProblem(header) ?? (bytes > maxBytes ? "it holds more than is allowed" : undefined);
    if (why !== undefined || ++count > MAX_ENTRIES) {
      entries.destroy(malformed(why ?? "it has too many entries"));
      return;
    }
    content.on("end", next);
    content.resume();
  });
  const tee = new PassThrough();
  tee.on("data", (chunk: Buffer) => hash.update(chunk));
  try {
    await pipeline(createReadStream(path), tee, entries, { ...(signal ? { signal } : {}) });
  } catch (cause) {
    signal?.throwIfAborted();
    throw isIchainError(cause) ? cause : malformed("it is not a tar archive", cause);
  }
  if (count === 0) throw malformed("it is empty");
  if (`sha256:${hash.digest("hex")}` !== digest)
    throw malformed("its digest differs from the one in the spec");
}

function entryProblem({ type, name, pax, size }: Header): string | undefined {
  if (type == null || !KINDS.has(type)) return "it holds an entry of a kind that is not allowed";
  if (Object.keys(pax ?? {}).some((key) => key.startsWith("GNU.sparse"))) return "it holds a sparse file";
  if (!Number.isSafeInteger(size ?? 0)) return "it holds a file with an invalid size";
  if (name.startsWith("/") || name.split("/").includes("..")) return "it holds a path that leads out of it";
  return undefined;
}

function malformed(why: string, cause?: unknown): IchainError {
  return new IchainError("IMAGE_MALFORMED", `The image archive in the bundle cannot be used: ${why}.`, {
    cause,
    details: { why: `its image archive cannot be used: ${why}` },
  });
}
