import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { IchainError, isIchainError } from "../../../../src/errors/error.ts";
import { openJournal } from "../../../../src/journal/journal.ts";
import type { SandboxTask } from "../../../../src/ports/sandbox.ts";
import type { WorkerContext } from "../../../../src/roles/context.ts";
import { comesFrom, encode } from "../../../../src/roles/federated/encode.ts";
import { begunRuns, runOnce, type TaskPlace } from "../../../../src/roles/federated/market/train.ts";
import { withNoise } from "../../../../src/roles/federated/privacy/noise.ts";
import { random32 } from "../../../support/chain/terms.ts";
import { code, scratch } from "../../../support/parcel/parcels.ts";

const parameters = 1000;
const trained = Float64Array.from({ length: parameters }, (_, i) => Math.sin(i) / 10);
const seed = new Uint8Array(32);

/** What a provider sends of a change. */
function sent(change: Float64Array, clip: number | undefined): Uint8Array {
  const shown = clip === undefined ? change : withNoise(change, { clip, noise: 0, delta: 1e-5 }, seed);
  return encode(shown, "int8").bytes;
}

for (const clip of [undefined, 0.5, 100])
  test(`a replay finds an honest update of a job that clips to ${clip ?? "nothing"}`, () => {
    const job = {
      update: "int8",
      parameters,
      ...(clip && { privacy: { clip, noise: 0, delta: 1e-5 } }),
    } as const;
    assert.ok(comesFrom(sent(trained, clip), trained, job));
    const other = trained.map((value, i) => value + Math.cos(i) / 20);
    assert.ok(!comesFrom(sent(other, clip), trained, job), "of another training");
    if (clip === 0.5) assert.ok(!comesFrom(sent(trained, undefined), trained, job), "not clipped");
  });

const place = {
  spec: { command: ["train"], resources: { cpus: 1, memory: 1, disk: 1, time: 1 }, outputs: [] },
  ...{ image: "x", input: "/in", gpus: [], logBytes: 1 },
} as unknown as TaskPlace;

/** A journal, and a sandbox whose runs end so; `outputs` are there from the run of this number on. */
async function machine(t: Parameters<typeof scratch>[0], runs: readonly object[], from = 1) {
  const journal = openJournal(join(await scratch(t), "journal.db"));
  t.after(() => journal.close());
  const made: SandboxTask[] = [];
  const sandbox = {
    run: async (task: SandboxTask) => {
      made.push(task);
      return { ended: "exit", exitCode: 0, wallSeconds: 1, log: "", ...runs[made.length - 1] };
    },
    outputs: async () => {
      if (made.length < from) throw new IchainError("OUTPUTS_LOST", "They are not there any more.");
      return `outputs of ${made.length}`;
    },
    discard: async () => undefined,
  };
  const context = { sandbox, reporter: { emit: () => undefined } } as unknown as WorkerContext;
  const record = journal.open("federated-panel", random32());
  const { signal } = new AbortController();
  const run = (name: string) =>
    runOnce(context, record, place, { name, argument: "0", what: "Training" }, { signal });
  return { made, record, run };
}

test("a replay whose outputs another program removed is made once more, and a sweep is told of it", async (t) => {
  const { made, record, run } = await machine(t, [], 2);
  assert.deepEqual(begunRuns(record), []);
  const { outputs } = await run("replay-1");
  assert.equal(outputs, "outputs of 2");
  assert.deepEqual(begunRuns(record), [made[0]!.id]);
  assert.deepEqual(made[1], made[0]);
  assert.deepEqual(record.begun("run-replay"), ["run-replay-1"]);
});

test("a replay that was ended is told from one that failed", async (t) => {
  const ends = [{ exitCode: 1 }, { exitCode: 137 }, { ended: "memory" }, { ended: "stopped" }];
  const { run } = await machine(t, ends);
  const failed = (isCutShort: boolean) => (error: unknown) =>
    isIchainError(error, "FEDERATED_TASK_FAILED") && error.details.isCutShort === isCutShort;
  await assert.rejects(run("one"), failed(false));
  await assert.rejects(run("two"), failed(true));
  await assert.rejects(run("three"), failed(true));
  await assert.rejects(run("four"), code("RUN_LOST"));
});
