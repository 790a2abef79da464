import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { stringify } from "yaml";
import { lastJson, startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

const job = {
  version: 1,
  image: "python-ml",
  command: ["python3", "task.py"],
  inputs: ["task.py"],
  outputs: ["model"],
  verification: { metric: "acc", threshold: 0.5 },
};
const failing = [
  {
    name: "import",
    task: "import no_such_module",
    ended: "exit",
    exitCode: 1,
    says: /No module named 'no_such/,
  },
  { name: "memory", task: "print('big', flush=True); x = b'x' * (1 << 30)", ended: "memory", says: /big/ },
  {
    name: "disk",
    task: "print('wide', flush=True); open('/out/model', 'wb').write(b'x' * (1 << 26))",
    ended: /disk|exit/,
    says: /wide/,
  },
  {
    name: "deadline",
    task: "import time; print('slow', flush=True); time.sleep(600)",
    ended: "deadline",
    says: /slow/,
  },
  { name: "outputs", task: "print('acc: 0.9')", ended: "exit", exitCode: 0, says: /acc: 0.9/ },
] as const;

interface Failure {
  readonly error: { code: string; message: string; details: { jobId: string; declined: { code: string }[] } };
}

it("a requester learns why a provider declined, asks the next, and gets the end of every failed run", {
  ...needs("root", "docker"),
  timeout: 400_000,
}, async (t) => {
  // The first provider is the cheapest, and takes jobs of a stranger alone.
  const folder = await mkdtemp(join(tmpdir(), "ichain-picky-"));
  t.after(() => rm(folder, { recursive: true }));
  const policy = join(folder, "policy.yaml");
  await writeFile(
    policy,
    stringify({ pricePerHour: 0.001, requesters: { allow: [`0x${"aa".repeat(20)}`] } }),
  );
  const market = await startTestMarket(t, { transport: "direct", providers: 2, policy });
  const write = async (name: string, task: string) => {
    const folder = join(market.dir, name);
    await mkdir(folder);
    await writeFile(join(folder, "task.py"), task);
    const resources = { memory: "128 MiB", disk: "1 MiB", time: "10s" };
    await writeFile(join(folder, "job.yaml"), stringify({ ...job, name, resources }));
    return [
      "submit",
      join(folder, "job.yaml"),
      "--validator",
      "best",
      "--wait",
      "--out",
      join(folder, "out"),
    ];
  };
  const fails = async (args: readonly string[]): Promise<Failure["error"]> => {
    const { stdout } = await market.attempt(args);
    return (lastJson(stdout) as unknown as Failure).error;
  };

  const named = await fails([...(await write("named", "")), "--provider", market.providers[0]!.account]);
  assert.equal(named.code, "JOB_DECLINED", named.message);
  assert.equal(named.details.declined[0]?.code, "REQUESTER_NOT_ALLOWED");

  let next = "best"; // the first asks both
  for (const { name, task, says, ...how } of failing) {
    const { code, message, details } = await fails([...(await write(name, task)), "--provider", next]);
    next = market.providers[1]!.account;
    assert.equal(code, "JOB_FAILED", message);
    if (name === failing.at(-1)!.name) await market.killActor(market.providers[1]!.name);
    const { notice, asked } = (await market.ichain(["why", details.jobId])) as {
      notice: { kind: string; code: string; run: { ended: string; exitCode: number } };
      asked: { provider: string; answer: string; notice?: { code: string } }[];
    };
    assert.deepEqual([notice.kind, notice.code], ["failed", "RUN_FAILED"], name);
    if (name === failing[0].name)
      assert.deepEqual(
        asked.map((one) => [one.provider, one.answer, one.notice?.code]),
        [
          [market.providers[0]!.account, "declined", "REQUESTER_NOT_ALLOWED"],
          [market.providers[1]!.account, "failed", "RUN_FAILED"],
        ],
      );
    assert.match(notice.run.ended, new RegExp(how.ended), name);
    if ("exitCode" in how) assert.equal(notice.run.exitCode, how.exitCode, name);
    const { stdout } = await market.attempt(["logs", details.jobId]);
    assert.match(stdout, says, name);
  }
  // Started again it frees what the killed one held; else the devnet's folder stays busy.
  await market.startActor(market.providers[1]!.name);
  const { jobs } = (await market.ichain(["jobs", "--all"])) as { jobs: { state: string }[] };
  const states = Object.groupBy(jobs, ({ state }) => state);
  assert.deepEqual([states.Cancelled?.length, states.Refunded?.length], [2, failing.length]);
});
