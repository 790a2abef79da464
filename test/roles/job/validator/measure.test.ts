import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { IchainError } from "../../../../src/errors/error.ts";
import { openJournal } from "../../../../src/journal/journal.ts";
import type { SandboxTask, TaskRun } from "../../../../src/ports/sandbox.ts";
import type { Mode } from "../../../../src/protocol/job/state.ts";
import type { Failure } from "../../../../src/protocol/task/failure.ts";
import { FAILED_RUN } from "../../../../src/protocol/task/judgement.ts";
import { openSlots, type Slots } from "../../../../src/roles/daemon/slots.ts";
import { measure } from "../../../../src/roles/job/validator/measure.ts";
import { MASK, requesterTip } from "../../../support/chain/secrets.ts";
import { random32, someTerms } from "../../../support/chain/terms.ts";
import { code, scratch } from "../../../support/parcel/parcels.ts";

const waits = { signal: AbortSignal.timeout(60_000) };
const run: TaskRun = {
  exitCode: 0,
  ended: "exit",
  log: "",
  logTruncated: false,
  wallSeconds: 1,
  cpuSeconds: 1,
  peakMemoryBytes: 1,
};

interface Setting {
  readonly slots?: Slots;
  readonly signal?: AbortSignal;
  /** Asks the bundle's host, of which a fetch came to nothing. */
  readonly fetchCapsule?: () => Promise<undefined>;
  readonly effort?: number;
  readonly mode?: Mode;
  /** What the provider delivered says that its run failed. */
  readonly failure?: Failure;
  /** How each run ends, where that is not by the accuracies. */
  readonly runs?: readonly Partial<TaskRun>[];
}

/** A validator that has fetched everything, and whose evaluations print these accuracies. */
async function evaluated(t: TestContext, ...accuracies: readonly number[]) {
  return evaluatedIn(t, {}, ...accuracies);
}

async function evaluatedIn(
  t: TestContext,
  {
    slots = openSlots(1),
    signal = waits.signal,
    fetchCapsule,
    effort = 0,
    mode = "evaluate",
    failure,
    runs = [],
  }: Setting,
  ...accuracies: readonly number[]
) {
  const folder = await scratch(t);
  const book = openJournal(join(folder, "journal.db"));
  t.after(() => book.close());
  const id = random32();
  const journal = book.open("validator", id);
  const [digest, own] = [random32(), random32()];
  const image = `sha256:${"0".repeat(64)}`;
  const spec = {
    image,
    command: ["train"],
    resources: { cpus: 1, memory: 1, disk: 1, time: 60, gpus: 0 },
    outputs: ["model"],
    verification: { mode, metric: "acc", goal: "max", threshold: 0.9 },
  };
  for (const [name, outcome] of Object.entries({
    capsule: random32(),
    bundle: { input: folder, spec },
    delivered: { digest, failure },
    exam: null,
  })) {
    if (name === "bundle" && fetchCapsule)
      await assert.rejects(
        journal.step(name, { prepare: () => 0, act: () => Promise.reject(unreachable()) }),
      );
    else await journal.step(name, { prepare: () => 0, act: () => outcome });
  }
  const tasks: string[] = [];
  const context = {
    jobsDir: join(folder, "jobs"),
    reporter: { emit: () => undefined },
    market: { now: async () => 0 },
    keyring: { publicKeys: { fingerprint: random32() } },
    parcels: { digest: async () => own },
    transport: { fetchCapsule },
    sandbox: {
      reserve: async () => [],
      release: () => undefined,
      run: async ({ id: name }: SandboxTask) => {
        tasks.push(name);
        return { ...run, log: `acc: ${accuracies[tasks.length - 1]}\n`, ...runs[tasks.length - 1] };
      },
      outputs: async () => folder,
    },
  };
  const terms = someTerms(`0x${"1".repeat(40)}`, `0x${"2".repeat(40)}`, { effort, mode });
  const submission = { resultRoot: random32() };
  const job = { id, terms, seedTip: requesterTip, submission, validations: [], deadline: 100 };
  const sources = {
    job,
    locator: { mask: MASK },
    policy: { maxLog: 4096, bundledImages: {} },
    slots,
    waiting: { queued: false },
  };
  type Args = Parameters<typeof measure>;
  const measured = measure(...([context, journal, sources, { signal }] as unknown as Args));
  return { measured, digest, own, tasks };
}

function unreachable(): IchainError {
  return new IchainError("TRANSFER_UNREACHABLE", "The host does not answer.");
}

test("two evaluations that agree give the score of the first", async (t) => {
  const { measured, digest, tasks } = await evaluated(t, 0.95, 0.952);
  const { score, digest: found } = await measured;
  assert.deepEqual([score, found], [950_000_000n, digest]);
  assert.equal(new Set(tasks).size, 2);
});

test("a validator whose two evaluations disagree abstains", async (t) => {
  const { measured } = await evaluated(t, 0.95, 0.99);
  await assert.rejects(measured, code("MEASURE_FAILED"));
});

test("a result below the threshold both times gets its first score, however far apart the two are", async (t) => {
  const { measured } = await evaluated(t, 0.5, 0.6);
  assert.equal((await measured).score, 500_000_000n);
  // Its provider may have said so, and must not fail by a difference between two runs.
  const paid = await evaluatedIn(t, { effort: 1 }, 0.5, 0.6);
  await assert.rejects(paid.measured, code("MEASURE_FAILED"));
});

test("a validator waits without a slot for a host that fell silent", async (t) => {
  const slots = openSlots(1);
  const stop = new AbortController();
  const asked = Promise.withResolvers<void>();
  const fetchCapsule = () => {
    asked.resolve();
    return Promise.reject(unreachable());
  };
  const { measured } = await evaluatedIn(t, { slots, signal: stop.signal, fetchCapsule });
  const stopped = assert.rejects(measured, { name: "AbortError" });
  await asked.promise;
  using _slot = await slots.take(waits);
  stop.abort();
  await stopped;
});

const claimed = { run: "0", kind: "exit", exitCode: 3 } as const;
const stagesOf = (tasks: readonly string[]) => tasks.map((name) => name.split("-").slice(2).join("-"));

for (const mode of ["evaluate", "replicate", "digest", "exam"] as const) {
  test(`in ${mode} a run that fails here as its provider says is measured as failed`, async (t) => {
    const { measured, tasks } = await evaluatedIn(t, { mode, failure: claimed, runs: [{ exitCode: 3 }] });
    assert.equal((await measured).digest, FAILED_RUN);
    assert.deepEqual(stagesOf(tasks), ["produce"]);
  });

  test(`in ${mode} a run that its provider says failed and succeeds here is measured by what it leaves`, async (t) => {
    const { measured, own, tasks } = await evaluatedIn(t, { mode, failure: claimed }, 0.95);
    assert.equal((await measured).digest, own);
    assert.deepEqual(stagesOf(tasks), ["produce"]);
  });
}

test("a measuring that its provider says failed is repeated on the validator's own outputs", async (t) => {
  const failure = { run: "1", kind: "exit", exitCode: 3 } as const;
  const same = await evaluatedIn(t, { failure, runs: [{}, { exitCode: 3 }] }, 0.95);
  assert.equal((await same.measured).digest, FAILED_RUN);
  assert.deepEqual(stagesOf(same.tasks), ["produce", "evaluate"]);
  const none = await evaluatedIn(t, { failure }, 0.95, 0.5);
  assert.equal((await none.measured).digest, none.own);
});

test("a measuring that no provider makes is not repeated: without the exam it would fail for a validator too", async (t) => {
  for (const mode of ["replicate", "digest", "exam"] as const) {
    const failure = { run: "1", kind: "exit", exitCode: 3 } as const;
    const { measured, own, tasks } = await evaluatedIn(
      t,
      { mode, failure, runs: [{}, { exitCode: 3 }] },
      0.95,
    );
    assert.equal((await measured).digest, own, mode);
    assert.deepEqual(stagesOf(tasks), ["produce"]);
  }
});

for (const [what, run] of [
  ["another exit code", { exitCode: 4 }],
  ["a signal", { exitCode: 139 }],
  ["too little memory", { exitCode: 137, ended: "memory" }],
  ["too little time", { exitCode: 124, ended: "deadline" }],
] as const) {
  test(`a validator whose run fails by ${what}, not as its provider says, abstains`, async (t) => {
    const { measured } = await evaluatedIn(t, { failure: claimed, runs: [run] });
    await assert.rejects(measured, code("MEASURE_FAILED"));
  });
}
