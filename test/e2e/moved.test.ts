import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { setInterval } from "node:timers/promises";
import { stringify } from "yaml";
import { runId } from "../../src/roles/task/run-task.ts";
import { labels } from "../../src/sandbox/policy.ts";
import { lifo } from "../support/lifo.ts";
import { ended, lastJson, startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

/** Long enough that its provider is moved meanwhile. */
const TASK = `import os, sys, time
if sys.argv[1] == "0":
    time.sleep(4)
    open("/out/model.txt", "w").write("x" * 1000)
print("acc: 0.97")
`;
const JOB = {
  ...{ version: 1, name: "moved", image: "python-ml", command: ["python3", "task.py"], price: 0.1 },
  ...{ inputs: ["task.py"], outputs: ["model.txt"] },
  resources: { cpus: 0.5, memory: "256 MiB", disk: "4 MiB", time: "1m" },
  verification: { metric: "acc", threshold: 0.9, tolerance: 0.01, validators: 1 },
};

/** The containers of a job's first run, of whichever home. */
function runsOf(jobId: string): string[] {
  const filter = `label=${labels.job}=${runId("provider", jobId, "produce")}`;
  const found = execFileSync("docker", ["ps", "--all", "--quiet", "--filter", filter], { encoding: "utf8" });
  return found.split("\n").filter(Boolean);
}

it("a provider that is moved to another home amid a run goes on there, keeps its stake, and acts in one home", {
  ...needs("root", "docker"),
  timeout: 300_000,
}, async (t) => {
  const later = lifo(t); // the moved worker ends while the chain is there for its last calls
  const market = await startTestMarket(later, { transport: "direct" });
  const old = market.providers[0]!;
  const stake = await market.stake(old.account);
  const folder = join(market.dir, "job");
  await mkdir(folder);
  await writeFile(join(folder, "task.py"), TASK);
  await writeFile(join(folder, "job.yaml"), stringify(JOB));
  const args = ["submit", join(folder, "job.yaml"), "--provider", "best", "--validator", "best", "--wait"];
  const submitted = ended(market.launch([...args, "--out", join(market.dir, "out")]));
  const { id } = await market.state("Accepted");
  for await (const _ of setInterval(50)) if (runsOf(id).length > 0) break;

  await market.killActor(old.name);
  const file = join(market.dir, "provider.backup");
  await market.ichain(["backup", file, "--move"], old);
  const home = { ...old, dir: join(market.dir, "elsewhere") };
  await market.ichain(["restore", file], home);
  // What ran on the other machine is of no use here.
  const [left] = runsOf(id);
  if (left !== undefined) execFileSync("docker", ["rm", "--force", left], { stdio: "ignore" });
  execFileSync("umount", [join(old.dir, "sandbox/runs", runId("provider", id, "produce"), "out")]);
  const refused = await market.attempt(["provide"], old);
  assert.equal((lastJson(refused.stdout).error as { code: string }).code, "HOME_MOVED");
  const worker = market.launch(["provide"], home);
  later.after(async () => {
    if (worker.exitCode === null && worker.kill("SIGTERM")) await once(worker, "exit");
  });

  const { code, stdout, stderr } = await submitted;
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.deepEqual([lastJson(stdout).jobId, lastJson(stdout).state], [id, "Settled"]);
  assert.equal(await market.stake(old.account), stake);
  const moved = (await market.transactions()).filter(({ receipt }) =>
    receipt.logs.some(({ topics }) => topics[1] === id),
  );
  assert.equal(moved.length, 7, "each step once");
});
