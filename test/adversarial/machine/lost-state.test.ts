import assert from "node:assert/strict";
import { copyFileSync, openSync, readdirSync, rmSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { it } from "node:test";
import { isIchainError } from "../../../src/errors/error.ts";
import { digits, ended, lastJson, startTestMarket } from "../../support/market/market.ts";
import { requireDocker, requireRoot } from "../../support/require.ts";

const SUBMIT = ["submit", digits, "--provider", "best", "--validator", "best"] as const;

interface Repaired {
  readonly setAsideAs?: string;
  readonly jobs: { jobId: string; role: string; standing: string; atRisk: string }[];
}

const errorOf = (stdout: string) => (lastJson(stdout).error as { code: string }).code;
const failsWith = (wanted: string) => (error: unknown) =>
  isIchainError(error, "CHILD_FAILED") && error.details.code === wanted;

it("a disk that loses a provider's journal in the middle of a job costs it neither stake nor price", async (t) => {
  if (!requireRoot(t) || !requireDocker(t)) return;
  const market = await startTestMarket(t, { transport: "direct" });
  const [home] = market.providers;
  const submit = ended(market.launch([...SUBMIT, "--wait", "--out", join(market.dir, "out")]));
  const { id } = await market.state("Accepted");
  await market.killActor("provider-1");
  for (const suffix of ["", "-wal", "-shm"]) rmSync(join(home!.dir, `journal.db${suffix}`), { force: true });
  await assert.rejects(market.startActor("provider-1"), failsWith("JOURNAL_LOST"));
  writeFileSync(join(home!.dir, "journal.db"), "");
  await assert.rejects(market.startActor("provider-1"), failsWith("JOURNAL_LOST"));
  const { jobs } = (await market.ichain(["journal", "repair"], home)) as unknown as Repaired;
  assert.deepEqual(
    jobs.map(({ jobId, role, standing }) => [jobId, role, standing]),
    [[id, "provider", "again"]],
  );
  await market.startActor("provider-1");
  const { code, stdout, stderr } = await submit;
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.equal(lastJson(stdout).state, "Settled");
});

it("a disk that damages a requester's journal is named, and what it still tells carries the job on", async (t) => {
  if (!requireRoot(t) || !requireDocker(t)) return;
  const market = await startTestMarket(t, { transport: "direct" });
  const { dir } = market.requester;
  const path = join(dir, "journal.db");
  const { jobId } = await market.ichain(SUBMIT);

  // An index page: every record can still be read.
  const db = new DatabaseSync(path);
  const page = Number(
    db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'unfinished'").get()?.rootpage,
  );
  db.close();
  writeSync(openSync(path, "r+"), Buffer.alloc(4096, 0x5a), 0, 4096, (page - 1) * 4096);
  for (const verb of [["resume"], ["stake", "deposit", "1"], [...SUBMIT]])
    assert.equal(errorOf((await market.attempt(verb)).stdout), "JOURNAL_DAMAGED");
  const first = (await market.ichain(["journal", "repair"])) as unknown as Repaired;
  assert.deepEqual(
    first.jobs.map(({ jobId: id, standing }) => [id, standing]),
    [[jobId, "kept"]],
  );
  assert.ok(readdirSync(dir).some((name) => join(dir, name) === first.setAsideAs));

  // Cut to nothing but a header: the mask is gone.
  const backup = join(market.dir, "backup.db");
  copyFileSync(path, backup);
  truncateSync(path, 1000);
  assert.equal(errorOf((await market.attempt(["resume"])).stdout), "JOURNAL_DAMAGED");
  const second = (await market.ichain(["journal", "repair"])) as unknown as Repaired;
  assert.deepEqual(
    second.jobs.map(({ role, standing }) => [role, standing]),
    [["requester", "lost"]],
  );
  assert.ok(BigInt(second.jobs[0]!.atRisk) > 0n);

  // A backup of any time after the job was drafted carries it to its end.
  for (const suffix of ["-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
  copyFileSync(backup, path);
  const resumed = (await market.ichain(["resume"])) as { jobs: { jobId: string; state: string }[] };
  assert.deepEqual(resumed.jobs, [{ jobId, state: "Settled", verdict: "pass" }]);
});

it("a job whose keys are lost is seen to its end, and its money comes back when its time is over", async (t) => {
  if (!requireRoot(t) || !requireDocker(t)) return;
  const market = await startTestMarket(t, { transport: "direct" });
  await market.killActor("provider-1");
  const submit = market.launch(SUBMIT);
  const interrupted = ended(submit);
  const { id, deadline } = await market.state("Posted");
  submit.kill("SIGINT");
  await interrupted;
  writeFileSync(join(market.requester.dir, "journal.db"), "no database ".repeat(999));
  const { jobs } = (await market.ichain(["journal", "repair"])) as unknown as Repaired;
  assert.deepEqual(
    jobs.map(({ jobId, standing, atRisk }) => [jobId, standing, atRisk]),
    [[id, "lost", "0"]],
  );
  await market.evm.increaseTime(deadline! - Math.floor(Date.now() / 1000) + 60);
  const resumed = (await market.ichain(["resume"])) as { jobs: { jobId: string; state: string }[] };
  assert.deepEqual(
    resumed.jobs.map(({ jobId, state }) => [jobId, state]),
    [[id, "Cancelled"]],
  );
  assert.equal(await market.owed(market.requester.account), 0n);
  assert.deepEqual((await market.ichain(["resume"])).jobs, []);
});

it("a keyring that is lost is never replaced unasked while its keys are in use", async (t) => {
  if (!requireRoot(t) || !requireDocker(t)) return;
  const market = await startTestMarket(t, { transport: "direct", validators: 1 });
  const home = market.providers[0]!;
  await market.killActor("provider-1");
  rmSync(join(home.dir, "keyring"));
  await assert.rejects(market.startActor("provider-1"), failsWith("KEYRING_MISSING"));
  // Nothing but the wallet is left: the chain still knows of the keys.
  rmSync(join(home.dir, "journal.db"));
  await assert.rejects(market.startActor("provider-1"), failsWith("KEYRING_MISSING"));
  await market.ichain(["init", "--yes", "--new-keyring"], home);
  await market.startActor("provider-1");
  assert.equal(
    errorOf((await market.attempt(["init", "--yes", "--new-keyring"], home)).stdout),
    "KEYRING_EXISTS",
  );
  const job = await market.ichain([...SUBMIT, "--wait", "--out", join(market.dir, "out")]);
  assert.equal(job.state, "Settled");
});
