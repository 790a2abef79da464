import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Blob, FetchProgress, FetchRequest } from "../../ports/transport.ts";
import type { RoleContext, Waits } from "../context.ts";

/** Fetches with progress; `what` names it for people. */
export async function fetchBlob(
  { transport, reporter }: Pick<RoleContext, "transport" | "reporter">,
  what: string,
  request: FetchRequest,
  { signal }: Waits,
): Promise<Blob> {
  const id = `fetch-${request.root}`;
  reporter.emit({ kind: "start", id, text: `Fetching the ${what}` });
  try {
    await mkdir(dirname(request.path), { recursive: true, mode: 0o700 });
    const blob = await transport.fetch(request, {
      signal,
      onProgress: (progress) => {
        const text = `Fetching the ${what}${pace(progress)}`;
        reporter.emit({ kind: "progress", id, text, done: progress.bytes, total: progress.total });
      },
    });
    reporter.emit({ kind: "end", id, text: `Fetched the ${what} (${blob.size} bytes, verified)` });
    return blob;
  } catch (error) {
    reporter.emit({ kind: "fail", id, text: `The ${what} could not be fetched` });
    throw error;
  }
}

function pace({ bytesPerSecond, lanes, secondsLeft }: FetchProgress): string {
  if (secondsLeft === undefined) return "";
  const rate = (bytesPerSecond / 1e6).toFixed(1);
  return ` at ${rate} MB/s over ${lanes} ${lanes === 1 ? "lane" : "lanes"}, ${Math.ceil(secondsLeft)} s left,`;
}
