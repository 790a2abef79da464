import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { ProgressEvent } from "../../../src/ports/reporter.ts";
import type { Transport } from "../../../src/ports/transport.ts";
import { fetchBlob } from "../../../src/roles/task/fetch-blob.ts";
import { random32 } from "../../support/chain/terms.ts";
import { scratch } from "../../support/parcel/parcels.ts";

test("progress shows the total rate, the slowest and fastest lane, and the seconds left", async (t) => {
  const texts: string[] = [];
  const reporter = { emit: (event: ProgressEvent) => event.kind === "progress" && texts.push(event.text) };
  const path = join(await scratch(t), "blob");
  const root = random32();
  const fetch: Transport["fetch"] = async (_, options) => {
    const some = { bytes: 0, total: 9e6, bytesPerSecond: 2.5e6 };
    options?.onProgress?.({ ...some, laneRates: [], secondsLeft: undefined });
    options?.onProgress?.({ ...some, laneRates: [], secondsLeft: 0 });
    options?.onProgress?.({ ...some, laneRates: [2.5e6], secondsLeft: 3.2 });
    options?.onProgress?.({ ...some, laneRates: [1e6, 2e5, 1.3e6], secondsLeft: 2 });
    return { path, root, size: 9e6 };
  };
  const context = { transport: { fetch } as unknown as Transport, reporter };
  const request = { path, root } as unknown as Parameters<typeof fetchBlob>[2];
  await fetchBlob(context as unknown as Parameters<typeof fetchBlob>[0], "result", request, {
    signal: new AbortController().signal,
  });
  assert.deepEqual(texts, [
    "Fetching the result",
    "Fetching the result",
    "Fetching the result at 2.5 MB/s over 1 lane, 4 s left,",
    "Fetching the result at 2.5 MB/s over 3 lanes of 0.2 to 1.3, 2 s left,",
  ]);
});
