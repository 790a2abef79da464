import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { IchainError } from "../../../../src/errors/error.ts";
import { openJournal } from "../../../../src/journal/journal.ts";
import type { Sandbox, TaskRun } from "../../../../src/ports/sandbox.ts";
import { produce } from "../../../../src/roles/job/provider/produce.ts";
import { createParcels } from "../../../../src/transfer/parcel/parcels.ts";
import { random32, someTerms } from "../../../support/chain/terms.ts";
import { makeTree, newKeyring, scratch } from "../../../support/parcel/parcels.ts";

const waits = { signal: AbortSignal.timeout(60_000) };
const ran: TaskRun = {
  exitCode: 0,
  ended: "exit",
  log: "acc: 0.95\n",
  logTruncated: false,
  wallSeconds: 1,
  cpuSeconds: 1,
  peakMemoryBytes: 1,
};

/** A provider with a scripted sandbox: `outputs` gives the folder, `logs` the output of each run; `tasks` lists the runs. */
async function setUp(t: TestContext, outputs: () => Promise<string>, logs: readonly string[] = []) {
  const folder = await scratch(t);
  const keyring = await newKeyring();
  const book = openJournal(join(folder, "journal.db"));
  t.after(() => book.close());
  const tasks: string[] = [];
  const sandbox: Pick<Sandbox, "run" | "outputs"> = {
    async run({ id }) {
      tasks.push(id);
      return { ...ran, log: logs[tasks.length - 1] ?? ran.log };
    },
    outputs,
  };
  const terms = someTerms(keyring.party.account, keyring.party.account, { mode: "evaluate" });
  const id = random32();
  const job = { id, terms };
  const spec = {
    image: `sha256:${"0".repeat(64)}`,
    command: ["train"],
    outputs: ["model"],
    resources: { cpus: 1, memory: 1, disk: 1, time: 60, gpus: 0 },
    verification: { mode: "evaluate", metric: "acc", goal: "max", threshold: 0.9 },
  };
  const accepted = { bundle: { input: folder, spec }, gpus: [] };
  const setup = { policy: { maxLog: 1024 }, report: { tier: "runc" } };
  const context = {
    jobsDir: join(folder, "jobs"),
    sandbox,
    parcels: createParcels({ keyring }),
    transport: { newIdentity: async () => ({ secret: "s", endpoint: "e" }) },
    reporter: { emit: () => undefined },
  };
  const journal = book.open("provider", id);
  type Args = Parameters<typeof produce>;
  const make = () => produce(...([context, journal, job, accepted, setup, waits] as unknown as Args));
  return { make, tasks };
}

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
    const { make } = await setUp(t, async () => left);
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
    const { make, tasks } = await setUp(t, async () => left, ["", "acc: 0.95", second]);
    assert.equal(typeof (await make()) === "string", !stable);
    assert.equal(new Set(tasks).size, 3, "each run has its own name");
  });
}
