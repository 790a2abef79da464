import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { stringify } from "yaml";
import { openJournal } from "../../src/journal/journal.ts";
import { shareOf } from "../../src/protocol/job/terms.ts";
import { ended, lastJson, startTestMarket, type TestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

const MARKER = "only-validators-may-read-this";

/** Learns where ones begin, or delivers what needs no learning; measures on the exam. */
const TASK = `
import json, sys
if sys.argv[1] == "0":
    rows = json.load(open("/in/train.json"))
    how = open("/in/how").read()
    ones, zeros = [x for x, y in rows if y], [x for x, y in rows if not y]
    models = {
        "learn": {"cut": (min(ones) + max(zeros)) / 2},
        "labels": {"table": {str(x): y for x, y in rows}},
        "start": {"cut": 0},
    }
    text = json.dumps(models[how]) if how in models else "noise"
    open("/out/model.json", "w").write(text)
else:
    model = json.load(open("/out/model.json"))
    rows = json.load(open("/in/exam/test.json"))["rows"]
    say = lambda x: model["table"].get(str(x), 0) if "table" in model else int(x >= model["cut"])
    print("acc:", sum(say(x) == y for x, y in rows) / len(rows))
`;

/** A job with an exam; resolves with the path of its job.yaml. */
async function examJob({ dir }: TestMarket, how: string): Promise<string> {
  const folder = join(dir, `job-${how}`);
  await mkdir(folder);
  const rows = (from: number) =>
    Array.from({ length: 40 }, (_, i) => [from + 10 * i, from + 10 * i >= 200 ? 1 : 0]);
  await writeFile(join(folder, "task.py"), TASK);
  await writeFile(join(folder, "how"), how);
  await writeFile(join(folder, "train.json"), JSON.stringify(rows(1)));
  await writeFile(join(folder, "test.json"), JSON.stringify({ marker: MARKER, rows: rows(4) }));
  const job = {
    ...{
      version: 1,
      name: how,
      image: "python-ml",
      command: ["python3", "task.py"],
      price: 0.1,
      effort: 0.25,
    },
    ...{ inputs: ["task.py", "how", "train.json"], outputs: ["model.json"] },
    verification: { mode: "exam", inputs: ["test.json"], metric: "acc", threshold: 0.9 },
  };
  await writeFile(join(folder, "job.yaml"), stringify(job));
  return join(folder, "job.yaml");
}

/** Whether a file below `folder` has these bytes. */
async function holds(folder: string, bytes: Buffer): Promise<boolean> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const content = await readFile(join(entry.parentPath, entry.name)).catch(() => Buffer.alloc(0));
    if (content.includes(bytes)) return true;
  }
  return false;
}

const submitArgs = (file: string) => ["submit", file, "--provider", "best", "--validator", "best"];

it("an exam: good work is paid, work that passes only by what is visible is unmet, and the provider never has it", {
  ...needs("root", "docker"),
  timeout: 400_000,
}, async (t) => {
  // Nobody is left in the pool to decide an appeal.
  const folder = await mkdtemp(join(tmpdir(), "ichain-exam-"));
  t.after(() => rm(folder, { recursive: true }));
  const policy = join(folder, "policy.yaml");
  await writeFile(policy, stringify({ appeal: "never" }));
  const market = await startTestMarket(t, { policy });
  const provider = market.providers[0]!;
  const file = await examJob(market, "learn");
  const waiting = ended(market.launch([...submitArgs(file), "--wait", "--out", `${file}-out`]));
  const posted = await market.state("Accepted");
  const parcel = await readFile(
    join(market.requester.dir, "jobs", "requester", posted.id.slice(2), "exam.parcel"),
  );
  const piece = parcel.subarray(64, 128);
  await market.state("Validating");
  const seen = async (dir: string) => [await holds(dir, piece), await holds(dir, Buffer.from(MARKER))];
  assert.deepEqual(await seen(provider.dir), [false, false], "before the verdict");
  const { code, stdout } = await waiting;
  assert.equal(code, 0, stdout);
  assert.equal(lastJson(stdout).verdict, "pass");
  assert.deepEqual(await seen(provider.dir), [false, false], "after it");

  for (const how of ["labels", "start", "noise"]) {
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
    const job = (await market.ichain(["job", error.details.jobId])) as { state: string; verdict: string };
    assert.deepEqual([job.state, job.verdict], ["Refunded", "unmet"], how);
    const { stands } = (await market.ichain(["why", error.details.jobId])) as { stands: string };
    assert.match(stands, /did not reach the threshold: its provider got 0\.025 coin for its effort/);
  }
  assert.equal(shareOf(10n ** 17n, 2_500), 25n * 10n ** 15n);
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
