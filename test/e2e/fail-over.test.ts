import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { setInterval } from "node:timers/promises";
import { stringify } from "yaml";
import type { JobId } from "../../src/protocol/ids.ts";
import type { Job } from "../../src/protocol/job/job.ts";
import { isFinal } from "../../src/protocol/job/state.ts";
import { keptCheckpoint } from "../../src/roles/job/requester/result/keep-checkpoints.ts";
import { ended, lastJson, startTestMarket } from "../support/market/market.ts";
import { makeTree } from "../support/parcel/parcels.ts";
import { needs } from "../support/require.ts";

/** Of half a second each: 600 make a run of five minutes. */
const STEPS = Number(process.env.FAILOVER_STEPS ?? 40);
/** Does a step in half a second, leaves a checkpoint after each, and says in its result where it began. */
const task = `
import os, sys, time
if sys.argv[1] == "1":
    print("acc:", 1.0 if open("/out/state").read() == str(sum(range(${STEPS}))) else 0.0)
    sys.exit()
step = total = 0
if os.path.isdir("/in/checkpoint"):
    step = int(max(os.listdir("/in/checkpoint"), key=int))
    total = int(open(f"/in/checkpoint/{step}/state").read())
open("/out/begun", "w").write(str(step))
os.mkdir("/out/checkpoint")
while step < ${STEPS}:
    time.sleep(0.5)
    total += step
    step += 1
    print("step", step, flush=True)
    os.mkdir("/out/checkpoint/part")
    open("/out/checkpoint/part/state", "w").write(str(total))
    os.rename("/out/checkpoint/part", f"/out/checkpoint/{step}")
open("/out/state", "w").write(str(total))
`;
const job = {
  version: 1,
  name: "counter",
  image: "python-ml",
  command: ["python3", "task.py"],
  inputs: ["task.py"],
  outputs: ["state", "begun"],
  resources: { memory: "256 MiB", disk: "16 MiB", time: `${60 + STEPS}s`, checkpoint: "64 KiB" },
  verification: { threshold: 0.5 },
};

it("a job whose provider is killed for good at half of it is finished by another, from its checkpoint", {
  ...needs("root", "docker"),
  timeout: 300_000 + 1000 * STEPS,
}, async (t) => {
  const market = await startTestMarket(t, { transport: "direct", providers: 2 });
  const folder = await makeTree(market.dir, { "task.py": task, "job.yaml": stringify(job) }, "counter");
  const out = join(market.dir, "out");
  const submit = ["submit", join(folder, "job.yaml"), "--wait", "--failover", "1", "--out", out];
  const submitted = ended(market.launch(submit));
  const first = await market.state("Accepted");
  const jobsDir = join(market.requester.dir, "jobs");
  const lost = market.providers.find(({ account }) => account === first.terms.provider)!;

  try {
    for await (const _ of setInterval(50))
      if (((await keptCheckpoint(jobsDir, first.id))?.number ?? 0) >= STEPS / 2) break;
    await market.killActor(lost.name);
    const { stdout } = await market.attempt(["logs", first.id], lost);
    const done = [...stdout.matchAll(/step (\d+)/g)].map(([, step]) => Number(step));
    const watched = ended(market.launch(["watch", first.id]));
    await market.evm.increaseTime(first.terms.windows.run + 1);

    const seen = new Map<JobId, Job>();
    for await (const one of market.jobs()) {
      seen.set(one.id, one);
      if (one.id !== first.id && isFinal(one.state)) break;
    }
    const [abandoned, last] = [...seen.values()];
    assert.deepEqual([abandoned?.cause, last?.state, seen.size], ["runMissed", "Settled", 2]);
    assert.notEqual(last?.terms.provider, lost.account);
    const told = await submitted;
    assert.equal(told.code, 0, `${told.stdout}\n${told.stderr}`);
    assert.equal(lastJson(told.stdout).jobId, last?.id);

    const begun = Number(await readFile(join(out, "begun"), "utf8"));
    const work = Math.max(...done) + (STEPS - begun);
    assert.ok(begun >= STEPS / 2 && work <= 1.3 * STEPS, `begun at ${begun}, ${work} steps of ${STEPS}`);
    t.diagnostic(`${work} steps where ${STEPS} are needed`);

    // To its owner it is one undertaking.
    const followed = await watched;
    assert.equal(followed.code, 0, followed.stdout);
    assert.deepEqual(
      [lastJson(followed.stdout).jobId, lastJson(followed.stdout).state],
      [last?.id, "Settled"],
    );
    assert.equal((await market.ichain(["why", first.id])).nextJob, last?.id);
    const { jobs } = (await market.ichain(["jobs", "--all"])) as {
      jobs: { jobId: JobId; previousJob?: JobId }[];
    };
    assert.equal(jobs.find(({ jobId }) => jobId === last?.id)?.previousJob, first.id);
  } finally {
    // It comes back only for its disk to be unmounted.
    await market.startActor(lost.name);
    const runs = join(lost.dir, "sandbox", "runs");
    for await (const _ of setInterval(50)) if ((await readdir(runs).catch(() => [])).length === 0) break;
  }
});
