import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { isIchainError } from "../../../src/errors/error.ts";
import {
  keepBenchmark,
  keptBenchmark,
  measureMachine,
} from "../../../src/roles/rehearsal/measure-machine.ts";
import { sandboxSetup, writeTask } from "../../sandbox/support.ts";
import { needs } from "../../support/require.ts";

const programs = fileURLToPath(new URL("../../../python/benchmark/", import.meta.url));
const waits = { signal: AbortSignal.timeout(120_000) };

test("a machine is measured in the sandbox, with one checksum a seed", needs("docker"), async (t) => {
  const { sandbox, dir } = await sandboxSetup(t);
  const request = { programs, dir: join(dir, "in"), seconds: 0.2, now: 1_800_000_000 };
  const measure = (seed: number) => measureMachine(sandbox, { ...request, seed }, waits);
  const first = await measure(7);
  const again = await measure(7);
  // As seed 7 gave outside the sandbox, with another build of NumPy.
  assert.deepEqual([first.checksum, again.checksum], [554_062_514_646, 554_062_514_646]);
  assert.equal(first.benchmark.at, 1_800_000_000);
  assert.equal(existsSync(request.dir), false);

  await keepBenchmark(dir, first.benchmark);
  assert.deepEqual(await keptBenchmark(dir), first.benchmark);
  await writeFile(join(dir, "benchmark.json"), '{"cpu": "fast"}');
  assert.equal(await keptBenchmark(dir), undefined);
});

test("a benchmark that fails is no score", needs("docker"), async (t) => {
  const { sandbox, dir } = await sandboxSetup(t);
  const broken = join(dir, "broken");
  const { inputDir } = await writeTask(
    dir,
    { image: "", interpreter: "", file: "benchmark.py", program: "print('{\"cpu\": 1}')\n" },
    { id: "broken" },
  );
  const request = { programs: inputDir, dir: broken, seed: 1, seconds: 0.1, now: 1 };
  await assert.rejects(measureMachine(sandbox, request, waits), (error) =>
    isIchainError(error, "BENCHMARK_FAILED"),
  );
});
