import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Abortable } from "../../async/abort.ts";
import type { Blob, FetchProgress, FetchRequest } from "../../ports/transport.ts";
import type { RoleContext } from "../context.ts";

/** Fetches a blob and reports progress; `what` names it to people. */
export async function fetchBlob(
  { transport, reporter }: Pick<RoleContext, "transport" | "reporter">,
  what: string,
  request: FetchRequest,
  { signal }: Abortable,
): Promise<Blob> {
  const id = `fetch-${request.root}`;
  reporter.emit({ kind: "start", id, text: `Fetching the ${what}` });
  try {
    await mkdir(dirname(request.path), { recursive: true, mode: 0o700 });
    const blob = await transport.fetch(request, {
      signal,
      onProgress: (progress) => {
        const text = `Fetching the ${what}${pace(progress)}`;
        const { bytes: done, total, laneRates: lanes } = progress;
        reporter.emit({ kind: "progress", id, text, done, total, lanes });
      },
    });
    reporter.emit({ kind: "end", id, text: `Fetched the ${what} (${blob.size} bytes, verified)` });
    return blob;
  } catch (error) {
    reporter.emit({ kind: "fail", id, text: `The ${what} could not be fetched` });
    throw error;
  }
}

/** Names the slowest and the fastest lane: they show whether the whole network is slow or one path through it. */
function pace({ bytesPerSecond, laneRates, secondsLeft }: FetchProgress): string {
  if (secondsLeft === undefined || laneRates.length === 0) return "";
  const left = `${Math.ceil(secondsLeft)} s left,`;
  const whole = ` at ${megabytes(bytesPerSecond)} MB/s over`;
  if (laneRates.length === 1) return `${whole} 1 lane, ${left}`;
  const [slowest, fastest] = [Math.min(...laneRates), Math.max(...laneRates)];
  return `${whole} ${laneRates.length} lanes of ${megabytes(slowest)} to ${megabytes(fastest)}, ${left}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
