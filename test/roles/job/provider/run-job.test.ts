import assert from "node:assert/strict";
import { dirname } from "node:path";
import { test } from "node:test";
import { raceSignal } from "../../../../src/async/abort.ts";
import type { Sandbox, TaskRun } from "../../../../src/ports/sandbox.ts";
import { openMachine } from "../../../../src/roles/daemon/slots.ts";
import { advance } from "../../../../src/roles/job/requester/advance.ts";
import { sealedEnd } from "../../../../src/roles/job/requester/result/follow-log.ts";
import { stopJob } from "../../../../src/roles/job/requester/stop.ts";
import { noticeIn } from "../../../../src/roles/job/requester/take-notice.ts";
import { bytesBelow, openDiskBudget } from "../../../../src/roles/task/kept/disk-budget.ts";
import { newActor, newJob, reached, startParties, startProviding } from "../../../support/market/parties.ts";
import { code } from "../../../support/parcel/parcels.ts";

const waits = { signal: AbortSignal.timeout(120_000) };
const failed: TaskRun = {
  exitCode: 3,
  ended: "exit",
  log: "Traceback: boom\n",
  logTruncated: false,
  wallSeconds: 0.5,
  cpuSeconds: 0.25,
  peakMemoryBytes: 1_000_000,
};

/** An engine whose runs last until `until` resolves, and then fail. */
function failingSandbox(until: (signal: AbortSignal) => Promise<unknown>): Sandbox {
  const sandbox: Partial<Sandbox> = {
    async run(_task, { signal } = {}) {
      await until(signal!);
      return failed;
    },
    reserve: async () => [],
    release: () => undefined,
    discard: async () => undefined,
  };
  return sandbox as Sandbox;
}

test("the result's address is published while the task runs, and its failure told before the release", async (context) => {
  const hosted = Promise.withResolvers<void>();
  const sandbox = failingSandbox(() => hosted.promise);
  const { t, requester, provider } = await startParties(context, { sandbox });
  provider.told.on("event", ({ kind, text }) => {
    if (kind === "end" && text === "The address of the result is published") hosted.resolve();
  });
  startProviding(t, provider);
  const id = await newJob(requester, provider, { posted: false });
  assert.equal((await advance(requester, id, {}, waits)).state, "Refunded");
  const notice = noticeIn(requester.journal.open("requester", id));
  assert.deepEqual(
    [notice?.kind, notice?.code, notice?.run?.exitCode, notice?.log],
    ["failed", "RUN_FAILED", 3, failed.log],
  );
});

test("a run whose requester is away leaves the end of its log on the chain, for the requester alone", async (context) => {
  const away = Promise.withResolvers<void>();
  const { t, chain, requester, provider } = await startParties(context, {
    sandbox: failingSandbox(() => away.promise),
  });
  startProviding(t, provider);
  const id = await newJob(requester, provider, { posted: false });
  await advance(requester, id, { stopAt: ["Accepted"] }, waits);
  away.resolve();
  const job = await reached(requester, id, "Refunded");
  assert.equal(job.cause, "released");
  assert.ok(job.sealedLog && job.sealedLog.length <= 2 + 2 * 1024);
  assert.match((await sealedEnd(requester, job)) ?? "", /Traceback: boom/);
  assert.equal(await sealedEnd(await newActor(t, chain, 3), job), undefined);
});

test("a run that its requester stops ends at once, and is paid for by the time it took", async (context) => {
  const [running, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const sandbox = failingSandbox((signal) => {
    running.resolve();
    signal.addEventListener("abort", () => ended.resolve());
    return raceSignal(new Promise(() => undefined), signal);
  });
  const { t, chain, requester, provider } = await startParties(context, { sandbox });
  const { stop } = startProviding(t, provider);
  const id = await newJob(requester, provider, { posted: false, file: { stop: { floor: 0.25, cap: 0.95 } } });
  const advancing = advance(requester, id, {}, waits);
  await running.promise;
  const before = await provider.market.balance(provider.account);
  const accepted = await requester.market.job(id);
  await assert.rejects(stopJob(await newActor(t, chain, 3), accepted, waits), code("ESCROW_NOT_PARTY"));
  const stopped = await stopJob(requester, accepted, waits);
  assert.deepEqual([stopped.state, stopped.cause], ["Refunded", "stopped"]);
  assert.equal(stopped.paid, stopped.terms.price / 4n);
  await ended.promise;
  assert.equal((await advancing).cause, "stopped");
  await provider.tells(({ text }) => text.includes("ended stopped"));
  const offer = await requester.market.offer(provider.account);
  assert.equal(offer?.lockedStake, 0n);
  await stop(); // it has withdrawn its pay by then
  const gained = (await provider.market.balance(provider.account)) - before;
  assert.ok(gained > stopped.terms.price / 5n, `${gained}`);
  await assert.rejects(stopJob(requester, stopped, waits), code("JOB_NOT_RUNNING"));
});

test("a provider whose home has no room for a job's run declines it, before it costs anything", async (context) => {
  const { t, requester, provider } = await startParties(context);
  const { jobsDir } = provider;
  const home = dirname(jobsDir);
  // Enough for the bundle, and not for twice 64 MiB.
  const disk = openDiskBudget({ home, jobsDir, limit: (await bytesBelow(home)) + 100 * 2 ** 20 });
  startProviding(t, provider, {}, { disk });
  const declined = provider.tells(({ text }) => text.includes("not accepted (DISK_BUDGET)"));
  const file = { resources: { time: "1m", disk: "64 MiB" } };
  const id = await newJob(requester, provider, { posted: false, file });
  const over = new AbortController();
  const advancing = advance(requester, id, {}, over).catch(() => undefined);
  await declined;
  assert.equal((await requester.market.job(id)).state, "Posted");
  over.abort();
  await advancing;
});

test("a provider that is drained declines what comes, and ends with the job that it has", async (context) => {
  const over = Promise.withResolvers<void>();
  const sandbox = failingSandbox(() => over.promise);
  const { t, requester, provider } = await startParties(context, { sandbox });
  const { ended, drain } = startProviding(t, provider, { maxJobs: 2 });
  const first = await newJob(requester, provider, { posted: false });
  await advance(requester, first, { stopAt: ["Accepted"] }, waits);
  const advancing = advance(requester, first, {}, waits);
  drain();
  const declined = provider.tells(({ text }) => text.includes("not accepted (DRAINING)"));
  const second = await newJob(requester, provider, { bytes: 2000 });
  await declined;
  over.resolve();
  await ended;
  assert.equal((await advancing).state, "Refunded");
  assert.equal((await requester.market.job(second)).state, "Posted");
  assert.notEqual(provider.journal.find("provider", first)?.finished, undefined);
});

test("a job that the machine has no room for waits, says so, and is accepted when there is", async (context) => {
  const { t, requester, provider } = await startParties(context, {
    sandbox: failingSandbox(() => Promise.resolve()),
  });
  const whole = openMachine({ cpus: 2, memory: 2 ** 33 });
  const other = await whole.hold({ cpus: 1.5, memory: 2 ** 20 }, waits);
  const waiting = new Promise<string>((resolve) => {
    provider.told.on("event", ({ text }) => text.startsWith("Waiting for") && resolve(text));
  });
  startProviding(t, provider, { maxJobs: 2 }, { whole });
  const id = await newJob(requester, provider, { posted: false, file: { resources: { cpus: 1 } } });
  const advancing = advance(requester, id, {}, waits);
  assert.match(await waiting, /^Waiting for 1 CPU and /);
  assert.equal((await requester.market.job(id)).state, "Posted");
  other[Symbol.dispose]();
  assert.equal((await advancing).cause, "released");
  (await whole.hold({ cpus: 2, memory: 1 }, waits))[Symbol.dispose](); // it gave its share back
});
