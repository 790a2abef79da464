import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { IchainError } from "../../../../src/errors/error.ts";
import { openJournal } from "../../../../src/journal/journal.ts";
import type { Sandbox, TaskRun } from "../../../../src/ports/sandbox.ts";
import type { Mode } from "../../../../src/protocol/job/state.ts";
import { failureIn } from "../../../../src/protocol/task/failure.ts";
import { FAILED_RUN } from "../../../../src/protocol/task/judgement.ts";
import { parseReport } from "../../../../src/protocol/task/report.ts";
import type { Packed } from "../../../../src/roles/job/provider/pack-result.ts";
import { produce } from "../../../../src/roles/job/provider/produce.ts";
import { createParcels } from "../../../../src/transfer/parcel/parcels.ts";
import { random32, someTerms } from "../../../support/chain/terms.ts";
import { makeTree, newKeyring, scratch } from "../../../support/parcel/parcels.ts";

const waits = { signal: AbortSignal.timeout(60_000) };
const NOW = 1_000_000;
const ran: TaskRun = {
  exitCode: 0,
  ended: "exit",
  log: "acc: 0.95\n",
  logTruncated: false,
  wallSeconds: 1,
  cpuSeconds: 1,
  peakMemoryBytes: 1,
};

/**
 * A provider with a scripted sandbox: `outputs` gives the folder, `runs` how each run ends; `tasks` lists them. The run
 * window leaves `left` seconds.
 */
async function setUp(
  t: TestContext,
  outputs: () => Promise<string>,
  runs: readonly Partial<TaskRun>[] = [],
  { mode = "evaluate", effort = 2500, validators = 1, gpus = 0, left = 3600, liveLog = 100 }: Setting = {},
) {
  const folder = await scratch(t);
  const keyring = await newKeyring();
  const book = openJournal(join(folder, "journal.db"));
  t.after(() => book.close());
  const tasks: string[] = [];
  const discarded: string[] = [];
  const sandbox: Pick<Sandbox, "run" | "outputs" | "discard"> = {
    async run({ id }) {
      tasks.push(id);
      return { ...ran, ...runs[tasks.length - 1] };
    },
    outputs,
    discard: async (id) => void discarded.push(id),
  };
  const { account } = keyring.party;
  const terms = someTerms(account, account, { mode, effort, validators });
  const id = random32();
  const job = { id, terms, deadline: NOW + left };
  const spec = {
    image: `sha256:${"0".repeat(64)}`,
    command: ["train"],
    outputs: ["model"],
    resources: { cpus: 1, memory: 1, disk: 1, time: 60, gpus },
    verification: { mode, metric: "acc", goal: "max", threshold: 0.9 },
  };
  const accepted = { bundle: { input: folder, spec }, gpus: [] };
  const setup = { policy: { maxLog: 1024, liveLog }, report: { tier: "runc" } };
  const parcels = createParcels({ keyring });
  const context = {
    jobsDir: join(folder, "jobs"),
    market: { now: async () => NOW },
    sandbox,
    parcels,
    transport: { newIdentity: async () => ({ secret: "s", endpoint: "e" }) },
    reporter: { emit: () => undefined },
  };
  const journal = book.open("provider", id);
  type Args = Parameters<typeof produce>;
  const make = () => produce(...([context, journal, job, accepted, setup, waits] as unknown as Args));
  /** The report of what was packed in place of a result, and what its manifest says. */
  const open = async ({ result: { blob, sessionKey } }: Packed) => {
    const into = join(folder, "opened");
    const limits = { maxBytes: 1 << 20, maxFiles: 2 };
    const { manifest } = await parcels.open({ blob, sessionKey, into, limits }, waits);
    return {
      failure: failureIn(manifest.note),
      report: parseReport(await readFile(join(into, "report.json"), "utf8")),
      log: await readFile(join(into, "log.txt"), "utf8"),
    };
  };
  return {
    make,
    tasks,
    discarded,
    open,
    stages: () => tasks.map((name) => name.split("-").slice(2).join("-")),
  };
}

interface Setting {
  readonly mode?: Mode;
  readonly effort?: number;
  readonly validators?: number;
  readonly gpus?: number;
  readonly left?: number;
  readonly liveLog?: number;
}

async function assertPacked(made: Promise<Packed | string>): Promise<Packed> {
  const packed = await made;
  assert.ok(typeof packed !== "string", String(packed));
  return packed;
}

const none = async () => assert.fail("asked for outputs of a run that left none");

test("a packed result needs neither another run nor its outputs", async (t) => {
  const outputs = [await makeTree(await scratch(t), { model: "weights" })];
  const { make, tasks } = await setUp(t, async () => {
    const folder = outputs.pop();
    assert.ok(folder, "asked for outputs that are discarded");
    return folder;
  });
  const packed = await make();
  assert.ok(typeof packed !== "string", String(packed));
  assert.deepEqual(await make(), packed);
  assert.equal(tasks.length, 3); // once produced, twice evaluated
});

test("a job whose outputs were lost in a power cut is given back with that reason", async (t) => {
  const { make } = await setUp(t, async () => {
    throw new IchainError("OUTPUTS_LOST", "Gone.", { hint: "-" });
  });
  assert.equal(await make(), "the task's outputs were lost before they could be packed");
});

for (const [what, files, reason] of [
  ["lacks what its spec names", { other: "" }, /all the outputs/],
  ["has a direction override in a name", { "model/\u202eredom": "" }, /a name that no parcel carries/],
  ["has two names that differ in case only", { "model/a": "1", "model/A": "2" }, /a name that no parcel/],
] as const) {
  test(`a job is given back when the output of its task ${what}`, async (t) => {
    const left = await makeTree(await scratch(t), files);
    const { make } = await setUp(t, async () => left, [], { effort: 0 });
    assert.match(String(await make()), reason);
  });
}

for (const [what, second, stable] of [
  ["half of the tolerance apart", "acc: 0.9525", true],
  ["further apart", "acc: 0.95251", false],
  ["not both successful", "loss: 1", false],
] as const) {
  test(`two evaluations of a result that are ${what} ${stable ? "submit it" : "give the job back"}`, async (t) => {
    const left = await makeTree(await scratch(t), { model: "weights" });
    const logs = ["", "acc: 0.95", second].map((log) => ({ log }));
    const { make, tasks } = await setUp(t, async () => left, logs);
    assert.equal(typeof (await make()) === "string", !stable);
    assert.equal(new Set(tasks).size, 3, "each run has its own name");
  });
}

const error = { exitCode: 3, log: "boom\n" };
const noMetric = { log: "no metric\n" };

for (const [what, mode, runs, failure] of [
  ["exits with a code of its own", "evaluate", [error, error], { run: "0", kind: "exit", exitCode: 3 }],
  ["fails so in an exam", "exam", [error, error], { run: "0", kind: "exit", exitCode: 3 }],
  [
    "runs out of memory",
    "evaluate",
    [
      { ended: "memory", exitCode: 137 },
      { ended: "memory", exitCode: 1 },
    ],
    { run: "0", kind: "memory", exitCode: 137 },
  ],
  [
    "writes too much",
    "digest",
    [{ ended: "disk" }, { ended: "disk" }],
    { run: "0", kind: "disk", exitCode: 0 },
  ],
  ["prints no metric", "replicate", [noMetric, noMetric], { run: "0", kind: "metric", exitCode: 0 }],
] as const) {
  test(`a task that ${what} twice is submitted as a failed run`, async (t) => {
    const { make, stages, discarded, tasks, open } = await setUp(t, none, runs, { mode });
    const packed = await assertPacked(make());
    assert.deepEqual(stages(), ["produce", "produce-again"]);
    assert.equal(discarded[0], tasks[0], "the first run's disk is free for the second");
    assert.deepEqual([packed.measurement.digest, packed.measurement.score], [FAILED_RUN, 0n]);
    assert.deepEqual(packed.result, packed.report);
    const opened = await open(packed);
    assert.deepEqual(opened.failure, failure);
    assert.deepEqual(opened.report.failure, failure);
    assert.equal(opened.report.measurement.salt, packed.measurement.salt);
    assert.equal(opened.log, { ...ran, ...runs[0] }.log);
    assert.deepEqual(await make(), packed);
    assert.equal(tasks.length, 2, "a packed report needs no other run");
  });
}

test("a task that cannot load what it wrote is run from its beginning again", async (t) => {
  const left = await makeTree(await scratch(t), { model: "weights" });
  const { make, stages, open } = await setUp(t, async () => left, [{}, error, {}, error]);
  const opened = await open(await assertPacked(make()));
  assert.deepEqual(stages(), ["produce", "evaluate", "produce-again", "evaluate-again"]);
  assert.deepEqual(opened.failure, { run: "1", kind: "exit", exitCode: 3 });
  assert.deepEqual([opened.report.run.exitCode, opened.report.evaluation?.exitCode], [0, 3]);
  assert.match(opened.log, /boom/);
});

test("outputs that cannot be delivered, twice, are a failed run", async (t) => {
  const left = await makeTree(await scratch(t), { other: "" });
  const { make, stages, open } = await setUp(t, async () => left, [], { mode: "exam" });
  const opened = await open(await assertPacked(make()));
  assert.deepEqual(stages(), ["produce", "produce-again"]);
  assert.deepEqual(opened.failure, { run: "0", kind: "missing", exitCode: 0 });
});

for (const [what, runs, setting] of [
  ["another exit code the second time", [error, { exitCode: 4 }], {}],
  ["no failure the second time", [error, {}], { mode: "exam" }],
  ["a signal", [{ exitCode: 139 }], {}],
  ["its deadline", [{ ended: "deadline", exitCode: 124 }], {}],
  ["nothing to earn", [error], { effort: 0 }],
  ["no validators", [error], { validators: 0 }],
  ["GPUs", [error], { gpus: 1 }],
  ["no time left for a second run", [{ ...error, wallSeconds: 400 }], { left: 1000 }],
] as const) {
  test(`a failed run with ${what} is given back`, async (t) => {
    const left = await makeTree(await scratch(t), { model: "weights" });
    const { make, tasks } = await setUp(t, async () => left, runs, setting);
    const reason = await make();
    assert.equal(typeof reason, "string");
    assert.equal(tasks.length, runs.length);
    assert.equal(await make(), reason);
    assert.equal(tasks.length, runs.length, "what is known is not run again");
  });
}

for (const [liveLog, wanted] of [
  [100, /^\[the beginning is left out\]\nx{72}$/],
  [0, /^$/],
] as const) {
  test(`the report of a failed run shows no more of a log than the live log may: ${liveLog} characters`, async (t) => {
    const long = { exitCode: 3, log: "x".repeat(300) };
    const { make, open } = await setUp(t, none, [long, long], { liveLog });
    assert.match((await open(await assertPacked(make()))).log, wanted);
  });
}
