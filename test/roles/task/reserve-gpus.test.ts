import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { isIchainError } from "../../../src/errors/error.ts";
import { openJournal } from "../../../src/journal/journal.ts";
import type { Sandbox } from "../../../src/ports/sandbox.ts";
import type { WorkerContext } from "../../../src/roles/context.ts";
import { releaseGpus, reserveGpus } from "../../../src/roles/task/reserve-gpus.ts";
import { type GpuPool, gpuPool } from "../../../src/sandbox/gpus/gpu-pool.ts";

const uuid = (n: number) => `GPU-${n}1111111-2222-3333-4444-555555555555`;
const gpus = [0, 1].map((n) => ({ uuid: uuid(n), model: "A", memoryBytes: 0 }));
const waits = { signal: AbortSignal.timeout(10_000) };

/** A worker whose sandbox reserves GPUs from a real pool. */
function worker(pool: GpuPool): WorkerContext {
  const sandbox: Pick<Sandbox, "reserve" | "release"> = {
    async reserve(job, { count, demand, had }) {
      if (had === undefined) return pool.reserve(job, count, demand);
      pool.restore(job, had);
      return had;
    },
    release: (job) => pool.release(job),
  };
  return { sandbox } as unknown as WorkerContext;
}

it("a job keeps its GPUs over a restart, in any order of the calls after it", async () => {
  using journal = closing();
  const [first, second] = [journal.open("provider", "0xaa"), journal.open("provider", "0xbb")];
  const before = worker(gpuPool(gpus));
  assert.deepEqual(await reserveGpus(before, first, { gpus: 1 }, waits), [uuid(0)]);
  assert.deepEqual(await reserveGpus(before, second, { gpus: 1 }, waits), [uuid(1)]);

  const after = worker(gpuPool(gpus));
  assert.deepEqual(await reserveGpus(after, second, { gpus: 1 }, waits), [uuid(1)]);
  assert.deepEqual(await reserveGpus(after, first, { gpus: 1 }, waits), [uuid(0)]);
});

it("a job that asks for more GPUs than there are is refused, and one that finds them busy can wait", async () => {
  using journal = closing();
  const context = worker(gpuPool(gpus));
  const [first, second] = [journal.open("provider", "0xaa"), journal.open("validator", "0xaa")];
  await assert.rejects(
    reserveGpus(context, first, { gpus: 3 }, waits),
    (error) => isIchainError(error, "GPU_ABSENT") && error.class === "refused",
  );
  await reserveGpus(context, first, { gpus: 2 }, waits);
  await assert.rejects(
    reserveGpus(context, second, { gpus: 1 }, waits),
    (error) => isIchainError(error, "GPU_BUSY") && error.retryable,
  );
  releaseGpus(context, first);
  assert.deepEqual(await reserveGpus(context, second, { gpus: 1 }, waits), [uuid(0)]);
});

function closing() {
  const dir = mkdtempSync(join(tmpdir(), "ichain-journal-"));
  const journal = openJournal(join(dir, "journal.db"));
  return {
    open: journal.open.bind(journal),
    [Symbol.dispose]() {
      journal.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
