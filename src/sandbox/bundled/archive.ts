import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, type Header } from "tar-stream";
import type { AbortOptions } from "../../async/abort.ts";
import { IchainError, isIchainError } from "../../errors/error.ts";

const MAX_ENTRIES = 1_000_000;
/** What a root filesystem may hold; no block device, no sparse file (whose size no header bounds). */
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
 * Reads a root-filesystem archive (a plain tar) from end to end before the engine sees it: its digest is
 * the one that was promised, its entries add up to at most `maxBytes`, and none is what a filesystem of
 * a task does not need. Throws `IMAGE_MALFORMED`, class `untrusted`.
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
    content.on("error", () => undefined); // told by the archive's own
    bytes += header.size ?? 0;
    const why = wrong(header) ?? (bytes > maxBytes ? "it holds more than is allowed" : undefined);
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
    throw isIchainError(cause) ? cause : malformed("it is no tar archive", cause);
  }
  if (count === 0) throw malformed("it is empty");
  if (`sha256:${hash.digest("hex")}` !== digest) throw malformed("its digest is not the one in the spec");
}

function wrong({ type, name, pax, size }: Header): string | undefined {
  if (type == null || !KINDS.has(type)) return "it holds an entry of a kind that is not allowed";
  if (Object.keys(pax ?? {}).some((key) => key.startsWith("GNU.sparse"))) return "it holds a sparse file";
  if (!Number.isSafeInteger(size ?? 0)) return "it holds a file of no sensible size";
  if (name.startsWith("/") || name.split("/").includes("..")) return "it holds a path that leads out of it";
  return undefined;
}

function malformed(why: string, cause?: unknown): IchainError {
  return new IchainError(`The image archive in the bundle cannot be used: ${why}.`, {
    code: "IMAGE_MALFORMED",
    class: "untrusted",
    hint: "An image archive is a root filesystem as an uncompressed tar, as `docker export` writes it.",
    cause,
    details: { why: `its image archive cannot be used: ${why}` },
  });
}
