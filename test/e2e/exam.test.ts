import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { openJournal } from "../../src/journal/journal.ts";
import type { JobId } from "../../src/protocol/ids.ts";
import { shareOf } from "../../src/protocol/job/terms.ts";
import { draftOf } from "../../src/roles/job/requester/posting/draft.ts";
import { examJob, MARKER, submitArgs } from "../support/market/exam-job.ts";
import { ended, lastJson, startTestMarket, type TestMarket } from "../support/market/market.ts";
import { gains, wealthOf } from "../support/market/wealth.ts";
import { needs } from "../support/require.ts";
import { traceReads } from "../support/trace.ts";

const moons = fileURLToPath(new URL("../../examples/exam/job.yaml", import.meta.url));

/** Whether a file below `folder` has these bytes. */
async function holds(folder: string, bytes: Buffer): Promise<boolean> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const content = await readFile(join(entry.parentPath, entry.name)).catch(() => Buffer.alloc(0));
    if (content.includes(bytes)) return true;
  }
  return false;
}

/** What the requester has of the exam that it posted, which no provider may get. */
async function secretsOf({ requester }: TestMarket, id: JobId) {
  const journal = openJournal(join(requester.dir, "journal.db"));
  const { exam, bundle } = draftOf(journal.open("requester", id))!;
  journal.close();
  const pieces = (parcel: Buffer) =>
    [64, parcel.length >> 1, parcel.length - 128].map((at) => parcel.subarray(at, at + 64));
  return {
    exam: {
      "its content": [Buffer.from(MARKER)],
      "its ciphertext": pieces(await readFile(exam!.blob.path)),
      "its key": [Buffer.from(exam!.key.slice(2), "hex"), Buffer.from(exam!.key.slice(2))],
      "its address": [Buffer.from(exam!.identity.endpoint.address)],
    },
    bundle: pieces(await readFile(bundle.path)),
  };
}

it("an exam: good work is paid, work that passes only by what is visible is unmet, and the provider never has it", {
  ...needs("root", "docker", "strace"),
  timeout: 600_000,
}, async (t) => {
  // Nobody is left in the pool to decide an appeal.
  const folder = await mkdtemp(join(tmpdir(), "ichain-exam-"));
  t.after(() => rm(folder, { recursive: true }));
  const policy = join(folder, "policy.yaml");
  await writeFile(policy, stringify({ appeal: "never" }));
  const market = await startTestMarket(t, { policy });
  const provider = market.providers[0]!;
  const validator = market.validators[0]!;
  // Everything that the two processes read, from tor, the chain, the engine or a disk.
  const [ofProvider, ofValidator] = [
    await traceReads(provider, join(folder, "provider")),
    await traceReads(validator, join(folder, "validator")),
  ];
  const file = await examJob(market, "learn");
  const waiting = ended(market.launch([...submitArgs(file), "--wait", "--out", `${file}-out`]));
  const { id } = await market.state("Accepted");
  const secrets = await secretsOf(market, id);
  const seen = async (dir: string) => {
    const all = Object.entries(secrets.exam).map(async ([what, parts]) =>
      (await Promise.all(parts.map((bytes) => holds(dir, bytes)))).includes(true) ? [what] : [],
    );
    return (await Promise.all(all)).flat();
  };
  await market.state("Validating");
  assert.deepEqual(await seen(provider.dir), [], "on its disk before the verdict");
  const { code, stdout } = await waiting;
  assert.equal(code, 0, stdout);
  assert.equal(lastJson(stdout).verdict, "pass");
  assert.deepEqual(await seen(provider.dir), [], "on its disk after it");
  const [got, control] = [await ofProvider(), await ofValidator()];
  for (const [what, parts] of Object.entries(secrets.exam))
    for (const bytes of parts) assert.equal(got.include(bytes), false, `the provider read ${what}`);
  // The records are whole: both processes fetched the bundle, and the validator the exam.
  for (const bytes of secrets.bundle) assert.ok(got.include(bytes) && control.include(bytes), "the bundle");
  for (const bytes of secrets.exam["its ciphertext"]) assert.ok(control.include(bytes), "the exam");
  t.diagnostic(`the provider read ${got.bytes} bytes, the validator ${control.bytes}`);

  for (const how of ["labels", "start", "noise"]) {
    const before = await wealthOf(market);
    const args = [...submitArgs(await examJob(market, how)), "--wait", "--out", `${market.dir}/${how}-out`];
    const ending = ended(market.launch(args));
    for await (const { state, terms } of market.jobs()) {
      if (state !== "Rejected") continue;
      await market.evm.increaseTime(terms.windows.appeal + 1);
      break;
    }
    const unmet = await ending;
    const { error } = lastJson(unmet.stdout) as {
      error: { code: string; details: { jobId: `0x${string}` } };
    };
    assert.equal(error.code, "JOB_FAILED", unmet.stdout);
    const job = (await market.ichain(["job", error.details.jobId])) as {
      state: string;
      verdict: string;
      terms: { price: string; validatorFee: string };
    };
    assert.deepEqual([job.state, job.verdict], ["Refunded", "unmet"], how);
    const { stands } = (await market.ichain(["why", error.details.jobId])) as { stands: string };
    assert.match(stands, /did not reach the threshold: its provider got 0\.025 coin for its effort/);
    // From the chain: what each is richer by, gas left aside.
    const { change, all } = gains(before, await wealthOf(market));
    const [effort, fee] = [shareOf(BigInt(job.terms.price), 2_500), BigInt(job.terms.validatorFee)];
    const got = [market.requester, provider, validator].map(({ account }) => change(account));
    assert.deepEqual([...got, all], [-effort - fee, effort, fee, 0n], how);
    t.diagnostic(`${how}: requester ${got[0]}, provider ${got[1]}, validator ${got[2]} wei`);
  }
});

it("a requester that hides its exam does not keep the provider from its pay", {
  ...needs("root", "docker"),
  timeout: 300_000,
}, async (t) => {
  const market = await startTestMarket(t, { transport: "direct" });
  const file = await examJob(market, "labels");
  await market.ichain([...submitArgs(file)]);
  const submitted = await market.state("Submitted");
  // It never appoints: the provider draws a validator, which waits for the exam for half of its time.
  await market.evm.increaseTime(submitted.terms.windows.appoint + 1);
  const journal = openJournal(join(market.validators[0]!.dir, "journal.db"));
  t.after(() => journal.close());
  const waits = () =>
    journal.find("validator", submitted.id) !== undefined &&
    journal.open("validator", submitted.id).outcome("exam-by") !== undefined;
  while (!waits()) await market.chain.getBlockNumber();
  await market.evm.increaseTime(submitted.terms.windows.commit / 2 + 1);
  const claimed = await market.state("Claimed");
  assert.equal(claimed.validations[0]?.measurement?.score, claimed.terms.threshold);
  assert.equal(claimed.verdict, "pass");
});

it("the example with an exam ends with a paid model", {
  ...needs("root", "docker"),
  timeout: 300_000,
}, async (t) => {
  const market = await startTestMarket(t, { transport: "direct" });
  const out = join(market.dir, "moons");
  const told = await market.ichain([...submitArgs(moons), "--wait", "--out", out]);
  assert.deepEqual([told.state, told.verdict, told.files], ["Settled", "pass", ["model.pkl"]]);
  const job = (await market.ichain(["job", told.jobId as string])) as {
    validations: { measurement: { score: string } }[];
  };
  const [seat] = job.validations;
  assert.ok(Number(seat?.measurement.score) >= 0.95, seat?.measurement.score);
  const { stdout } = await market.attempt(["logs", told.jobId as string]);
  assert.match((lastJson(stdout) as { text: string }).text, /cross-validated: 0\.9\d+/);
});
