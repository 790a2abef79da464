import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { stringify } from "yaml";
import { runId } from "../../src/roles/task/run-task.ts";
import { labels } from "../../src/sandbox/policy.ts";
import { ended, lastJson, startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

/** Whether a container runs the job's task. */
function isRunning(jobId: string): boolean {
  const filter = `label=${labels.job}=${runId("provider", jobId, "produce")}`;
  return execFileSync("docker", ["ps", "--quiet", "--filter", filter], { encoding: "utf8" }).trim() !== "";
}

it("a requester stops a job that runs: its container ends, the time used is paid, and why says so", {
  ...needs("root", "docker"),
  timeout: 300_000,
}, async (t) => {
  const market = await startTestMarket(t, { transport: "direct" });
  const folder = join(market.dir, "long");
  await mkdir(folder);
  await writeFile(join(folder, "task.py"), "import time; print('begun', flush=True); time.sleep(500)");
  const job = {
    ...{ version: 1, name: "long", image: "python-ml", command: ["python3", "task.py"] },
    ...{ inputs: ["task.py"], outputs: ["model"], price: 0.1, stop: { floor: 0.2, cap: 0.9 } },
    ...{ verification: { metric: "acc", threshold: 0.5 }, resources: { time: "10m" } },
  };
  await writeFile(join(folder, "job.yaml"), stringify(job));
  const path = join(folder, "job.yaml");
  const submitted = ended(
    market.launch([
      "submit",
      path,
      "--provider",
      "best",
      "--validator",
      "best",
      "--wait",
      "--out",
      `${folder}-out`,
    ]),
  );
  const known = async () =>
    ((await market.ichain(["jobs"])) as { jobs: { jobId: string; state: string }[] }).jobs;
  let [found] = await known();
  while (found?.state !== "Accepted" || !isRunning(found.jobId)) [found] = await known();
  const id = found.jobId;

  const stopped = (await market.ichain(["stop", id])) as { state: string; paid: string };
  assert.deepEqual([stopped.state, stopped.paid], ["Refunded", String(10n ** 17n / 5n)]);
  const since = performance.now();
  while (isRunning(id)) assert.ok(performance.now() - since < 60_000, "the container ends");
  const { code, stdout } = await submitted;
  assert.equal((lastJson(stdout) as { error: { code: string } }).error.code, "JOB_FAILED", stdout);
  assert.notEqual(code, 0);
  const why = (await market.ichain(["why", id])) as { stands: string };
  assert.match(why.stands, /stopped the job: its provider got 0\.02 coin/);
  const again = lastJson((await market.attempt(["stop", id])).stdout) as { error: { code: string } };
  assert.equal(again.error.code, "JOB_NOT_RUNNING");
});
