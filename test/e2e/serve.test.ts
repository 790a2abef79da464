import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { setInterval } from "node:timers/promises";
import { parse, stringify } from "yaml";
import type { Job } from "../../src/protocol/job/job.ts";
import { isFinal } from "../../src/protocol/job/state.ts";
import { digits, ended, lastJson, startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

/** Resolves with the first line of JSON that it prints. */
function firstLine(child: ChildProcess): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("\n")) resolve(JSON.parse(text.slice(0, text.indexOf("\n"))));
    });
    child.once("close", () => reject(new Error(`it ended: ${text}`)));
  });
}

it("a requester that leaves after posting is served to the end, through a crash of its server", {
  ...needs("root", "docker"),
  timeout: 300_000,
}, async (t) => {
  const market = await startTestMarket(t, { transport: "direct" });
  const submit = ["submit", digits, "--provider", "best", "--validator", "best", "--detach"];
  const early = await market.attempt(submit);
  assert.equal((lastJson(early.stdout) as { error: { code: string } }).error.code, "SERVE_NOT_RUNNING");
  assert.deepEqual((await market.ichain(["jobs", "--all"])).jobs, []);

  const first = market.launch(["serve"]);
  t.after(() => first.kill("SIGKILL"));
  assert.deepEqual(await firstLine(first), {
    ...{ event: "serving", account: market.requester.account, jobs: 0 },
  });
  const second = await market.attempt(["serve"]);
  assert.equal((lastJson(second.stdout) as { error: { code: string } }).error.code, "HOME_BUSY");

  // Without its validator the job cannot end while the next server is asked.
  const validator = market.validators[0]!.name;
  await market.killActor(validator);
  const posted = await market.ichain(submit);
  assert.equal(posted.state, "Posted");
  await market.state("Submitted");
  const killed = ended(first);
  first.kill("SIGKILL");
  await killed;

  const again = market.launch(["serve"]);
  t.after(() => again.kill("SIGKILL"));
  assert.equal((await firstLine(again)).jobs, 1);
  await market.state("Validating");
  const busy = await market.attempt(["resume", String(posted.jobId)]);
  assert.equal((lastJson(busy.stdout) as { error: { code: string } }).error.code, "JOB_BUSY");
  await market.startActor(validator);
  await market.state("Settled");
  const out = join(market.dir, "model");
  await market.ichain(["get", String(posted.jobId), "--out", out]);
  assert.ok((await readFile(join(out, "model.safetensors"))).length > 0);
  const left = ended(again);
  again.kill("SIGINT");
  assert.equal((await left).code, 130);
});

it("a detached job that its provider declines goes to the next, through a crash, when its folder is gone", {
  ...needs("root", "docker"),
  timeout: 300_000,
}, async (t) => {
  // The first provider is the cheapest, and takes jobs of a stranger alone.
  const folder = await mkdtemp(join(tmpdir(), "ichain-picky-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const policy = join(folder, "policy.yaml");
  const requesters = { allow: [`0x${"aa".repeat(20)}`] };
  await writeFile(policy, stringify({ pricePerHour: 0.001, requesters }));
  const market = await startTestMarket(t, { transport: "direct", providers: 2, policy });
  const task = join(folder, "task");
  await cp(join(digits, ".."), task, { recursive: true });
  const told = join(folder, "told");
  const config = join(market.requester.dir, "config.yaml");
  const notify = { command: ["sh", "-c", `cat >> ${told}`] };
  await writeFile(config, stringify({ ...parse(await readFile(config, "utf8")), notify }));
  const serve = async () => {
    const child = market.launch(["serve"]);
    t.after(() => child.kill("SIGKILL"));
    await firstLine(child);
    return child;
  };
  let server = await serve();
  const first = server;
  const submit = ["submit", join(task, "job.yaml"), "--validator", "best", "--detach"];
  const posted = await market.ichain([...submit, "--provider", "best"]);
  await rm(task, { recursive: true });
  const seen = new Map<string, Job>();
  for await (const job of market.jobs()) {
    seen.set(job.id, job);
    if (job.id === posted.jobId && job.state === "Cancelled" && first.exitCode === null && !first.killed) {
      first.kill("SIGKILL");
      await once(first, "close");
      server = await serve();
    }
    if (job.id !== posted.jobId && isFinal(job.state)) break;
  }
  assert.deepEqual(
    [...seen.values()].map(({ state, terms }) => [state, terms.provider]),
    [
      ["Cancelled", market.providers[0]!.account],
      ["Settled", market.providers[1]!.account],
    ],
  );
  const next = [...seen.keys()].at(-1)!;
  for await (const _ of setInterval(50))
    if ((await readFile(told, "utf8").catch(() => "")).includes("\n")) break;
  const left = ended(server);
  server.kill("SIGINT");
  await left;
  const { event, job } = JSON.parse(await readFile(told, "utf8"));
  assert.deepEqual([event, job], ["done", next]);
  const out = join(market.dir, "model");
  await market.ichain(["get", next, "--out", out]);
  assert.ok((await readFile(join(out, "model.safetensors"))).length > 0);
});
