import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { readFile, rename, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setInterval } from "node:timers/promises";
import type { Sandbox, TaskRun } from "../../../../../src/ports/sandbox.ts";
import type { JobId } from "../../../../../src/protocol/ids.ts";
import { lockedBy } from "../../../../../src/protocol/job/terms.ts";
import { auditPolicySchema } from "../../../../../src/protocol/policy/audit.ts";
import type { SignedNotice } from "../../../../../src/protocol/task/notice.ts";
import { type JobFile, jobFileSchema } from "../../../../../src/protocol/task/spec.ts";
import { advance } from "../../../../../src/roles/job/requester/advance.ts";
import { type Again, openDraft } from "../../../../../src/roles/job/requester/posting/draft.ts";
import { keptCheckpoint } from "../../../../../src/roles/job/requester/result/keep-checkpoints.ts";
import { providersAsked } from "../../../../../src/roles/job/requester/successors/asked.ts";
import {
  isGoingOn,
  linksOf,
  successorOf,
  turnOf,
} from "../../../../../src/roles/job/requester/successors/go-on.ts";
import { draftForNext } from "../../../../../src/roles/job/requester/successors/next-provider.ts";
import { draftAgain } from "../../../../../src/roles/job/requester/successors/post-again.ts";
import { jobFolder } from "../../../../../src/roles/shared/job-folder.ts";
import { copyCheckpoint } from "../../../../../src/sandbox/outputs/checkpoint.ts";
import {
  type Actor,
  enlist,
  newActor,
  newJob,
  startParties,
  startProviding,
} from "../../../../support/market/parties.ts";
import { makeTree, roomy, scratch } from "../../../../support/parcel/parcels.ts";

const waits = { signal: AbortSignal.timeout(600_000) };
const audit = auditPolicySchema.parse({});
const ended: TaskRun = {
  exitCode: 124,
  ended: "deadline",
  log: "",
  logTruncated: false,
  wallSeconds: 1,
  cpuSeconds: 1,
  peakMemoryBytes: 1,
};

/** A task that does nothing by itself: the test leaves checkpoints for it below `out`, and ends its run. */
async function handTask(t: TestContext) {
  const out = await scratch(t);
  const over = Promise.withResolvers<TaskRun>();
  const sandbox: Partial<Sandbox> = {
    run: () => over.promise,
    checkpoint: (_id, request, options) => copyCheckpoint(out, request, options),
    reserve: async () => [],
    release: () => undefined,
    discard: async () => undefined,
  };
  return { out, sandbox: sandbox as Sandbox, end: () => over.resolve(ended) };
}

/** Leaves a checkpoint as a task does; `more` may add to it while it is not complete. */
async function leave(out: string, number: number, files: object, more = async (_dir: string) => {}) {
  const part = await makeTree(out, files as Record<string, string>, `checkpoint/${number}.part`);
  await more(part);
  await rename(part, join(out, "checkpoint", String(number)));
}

/** Resolves once the requester holds the checkpoint of that number. */
async function holds({ jobsDir }: Actor, id: JobId, number: number): Promise<void> {
  const { signal } = waits;
  for await (const _ of setInterval(50, undefined, { signal }))
    if ((await keptCheckpoint(jobsDir, id).catch(() => undefined))?.number === number) return;
}

const checkpointed = { resources: { time: "1m", checkpoint: "1 MiB", disk: "4 MiB" } };

test("checkpoints reach the requester while the task runs; hostile ones are told of and replace none", async (context) => {
  const task = await handTask(context);
  const { t, requester, provider } = await startParties(context, { sandbox: task.sandbox });
  startProviding(t, provider, { maxCheckpoint: "1 MiB" });
  const id = await newJob(requester, provider, { posted: false, file: checkpointed });
  const advancing = advance(requester, id, {}, waits);
  const tells = (text: string) => requester.tells((event) => event.text.includes(text));

  await leave(task.out, 3, { w: "three" });
  await holds(requester, id, 3);
  await leave(task.out, 4, { w: "four" }, (dir) => symlink("/etc/passwd", join(dir, "x")));
  await tells("Checkpoint 4 of job");
  await leave(task.out, 5, {}, async (dir) => {
    await writeFile(join(dir, "hole"), "");
    await truncate(join(dir, "hole"), 2 ** 40);
  });
  await tells("Checkpoint 5 of job");
  assert.equal((await keptCheckpoint(requester.jobsDir, id))?.number, 3);
  await leave(task.out, 6, { w: "six", noise: randomBytes(500_000) });
  await holds(requester, id, 6);
  for (let number = 7; number < 40; number += 1) await leave(task.out, number, { w: String(number) });
  await holds(requester, id, 39);

  // Neither side keeps what is not needed any more, and nothing lies open on the requester's disk.
  const mine = jobFolder(requester.jobsDir, "requester", id).checkpoint;
  assert.deepEqual(readdirSync(mine).toSorted(), ["39.parcel", "kept.json"]);
  const theirs = readdirSync(jobFolder(provider.jobsDir, "provider", id).checkpoint);
  assert.ok(theirs.filter((name) => name.endsWith(".parcel")).length <= 2, theirs.join());
  task.end();
  assert.equal((await advancing).cause, "released");
});

test("a provider cannot pass off what it did not pack, or more than the job allows, as a checkpoint", async (context) => {
  const task = await handTask(context);
  const { t, requester, provider } = await startParties(context, { sandbox: task.sandbox });
  const { parcels } = provider;
  let hostile: "author" | "size" | undefined;
  const packing: Partial<Actor["parcels"]> = {
    pack: async (request, options) => {
      if (!request.out.includes("checkpoint")) return parcels.pack(request, options);
      if (hostile === "author") return requester.parcels.pack(request, options);
      if (hostile === "size") await writeFile(join(request.root, "more"), randomBytes(2 << 20));
      return parcels.pack(request, options);
    },
  };
  startProviding(t, { ...provider, parcels: { ...parcels, ...packing } }, { maxCheckpoint: "1 MiB" });
  const id = await newJob(requester, provider, { posted: false, file: checkpointed });
  const advancing = advance(requester, id, {}, waits);
  await leave(task.out, 1, { w: "one" });
  await holds(requester, id, 1);
  hostile = "author";
  await leave(task.out, 2, { w: "two" });
  await requester.tells(
    ({ kind, text }) => kind === "warn" && text.includes("does not come from the provider"),
  );
  hostile = "size";
  await leave(task.out, 3, { w: "three" });
  const { checkpoint } = jobFolder(provider.jobsDir, "provider", id);
  for await (const _ of setInterval(50, undefined, waits))
    if (existsSync(join(checkpoint, "3.parcel"))) break;
  hostile = undefined;
  await leave(task.out, 4, { w: "four" });
  await holds(requester, id, 4);
  task.end();
  await advancing;
});

/** A job whose provider gave it back after checkpoint 7, with another provider at hand. */
async function abandoned(context: TestContext, again: Partial<Again>) {
  const task = await handTask(context);
  const { t, chain, requester, provider } = await startParties(context, { sandbox: task.sandbox });
  const other = await newActor(t, chain, 3);
  await enlist(other);
  startProviding(t, provider, { maxCheckpoint: "1 MiB" });
  const id = await newJob(requester, provider, { posted: false, file: checkpointed, again });
  const advancing = advance(requester, id, {}, waits);
  await leave(task.out, 7, { w: "seven" });
  await holds(requester, id, 7);
  task.end();
  return { t, chain, requester, provider, other, job: await advancing };
}

test("a job that its provider gives back is drafted for another, from its checkpoint, once", async (context) => {
  const { requester, other, job } = await abandoned(context, { failovers: 2 });
  const { journal } = requester;
  assert.equal(journal.find("requester", job.id)?.finished, undefined, "it is not over for its requester");
  const found = await successorOf(requester, job, audit, waits);
  assert.ok(found && "next" in found, JSON.stringify(found));
  assert.deepEqual(await draftAgain(requester, job, audit, { asked: true }, waits), found);
  assert.equal(journal.find("requester", job.id)?.finished, "failed");
  const { bundle, checkpoint } = jobFolder(requester.jobsDir, "requester", job.id);
  assert.deepEqual([bundle, checkpoint].filter(existsSync), [], "the new bundle holds both");

  const { draft } = openDraft(journal, found.next);
  assert.equal(draft.provider.account, other.account);
  assert.deepEqual([draft.again?.failovers, draft.again?.after], [1, job.id]);
  assert.ok(lockedBy(draft.terms) <= lockedBy(job.terms));
  const into = join(requester.home, "opened");
  await requester.parcels.open(
    { blob: draft.bundle, sessionKey: draft.bundleKey, into, limits: roomy },
    waits,
  );
  assert.deepEqual(readdirSync(into).toSorted(), ["checkpoint", "data.bin"]);
  assert.equal(await readFile(join(into, "checkpoint", "7", "w"), "utf8"), "seven");
  assert.deepEqual(linksOf(journal, found.next), { previous: job.id });
  assert.deepEqual(linksOf(journal, job.id), {}, "the next is not posted yet");
  assert.equal(isGoingOn(journal, job), true);
  assert.equal(
    await turnOf(requester, found.next, job.id, waits),
    "post",
    "so that a server posts it after a crash",
  );
  await advance(requester, found.next, { detach: true }, waits);
  assert.deepEqual(linksOf(journal, job.id), { next: found.next });
  assert.equal(isGoingOn(journal, job), false);
});

test("a job that its provider does not answer in time goes to the next, and all that were asked are known", async (context) => {
  const { t, chain, requester, provider } = await startParties(context);
  const other = await newActor(t, chain, 3);
  await enlist(other);
  const id = await newJob(requester, provider, { posted: false, again: { tries: 2 } });
  const advancing = advance(requester, id, { stopWhenDeclined: true }, waits);
  const { acceptBy } = openDraft(requester.journal, id).draft.terms;
  for await (const _ of setInterval(50, undefined, waits))
    if (requester.journal.open("requester", id).outcome("post") !== undefined) break;
  await chain.node.increaseTime(acceptBy - (await requester.market.now()) + 1);
  const job = await advancing;
  assert.equal(job.state, "Posted");
  const found = await successorOf(requester, job, audit, waits);
  assert.ok(found && "next" in found, JSON.stringify(found));
  assert.equal((await requester.market.job(id)).state, "Cancelled");
  assert.equal(openDraft(requester.journal, found.next).draft.provider.account, other.account);
  await advance(requester, found.next, { detach: true }, waits);
  const asked = await providersAsked(requester.market, requester.journal, found.next, waits);
  assert.deepEqual(asked, [
    { jobId: id, provider: provider.account, answer: "none" },
    { jobId: found.next, provider: other.account, answer: "waiting" },
  ]);
  const last = { ...job, id: found.next };
  assert.deepEqual(await successorOf(requester, last, audit, waits), {
    why: "no other provider is to be asked",
  });
});

test("the one after the next provider gets the checkpoint too, although none is newer", async (context) => {
  const { t, chain, requester, job } = await abandoned(context, { failovers: 1, tries: 3 });
  const found = await successorOf(requester, job, audit, waits);
  assert.ok(found && "next" in found, JSON.stringify(found));
  const third = await newActor(t, chain, 4);
  await enlist(third);
  const { journal, draft } = openDraft(requester.journal, found.next);
  const after = await draftForNext(requester, journal, draft, audit, waits);
  assert.ok("next" in after, JSON.stringify(after));
  const last = openDraft(requester.journal, after.next).draft;
  assert.equal(last.provider.account, third.account);
  const into = join(requester.home, "opened");
  await requester.parcels.open({ blob: last.bundle, sessionKey: last.bundleKey, into, limits: roomy }, waits);
  assert.equal(await readFile(join(into, "checkpoint", "7", "w"), "utf8"), "seven");
});

test("a job is not posted again for more than was agreed, nor past its time, nor by itself where its task failed by its own doing; its owner may", async (context) => {
  const { requester, provider, other, job } = await abandoned(context, { failovers: 1, most: 1n });
  assert.deepEqual(await successorOf(requester, job, audit, waits), {
    why: "the next best provider costs more",
  });
  const { draft } = openDraft(requester.journal, job.id);
  assert.ok(existsSync(draft.bundle.path), "its owner may still post it again");
  /** As if the draft had said that, and the notice, too. */
  const again = (more: Partial<Again>, { asked = false, notice = {} } = {}) => {
    const record = requester.journal.open("requester", job.id);
    const outcome = (name: string): unknown => {
      if (name === "draft") return { ...draft, again: { ...draft.again!, most: undefined, ...more } };
      const known = record.outcome<SignedNotice>(name);
      return name === "notice" && known ? { ...known, notice: { ...known.notice, ...notice } } : known;
    };
    const intent = (name: string): unknown => (name === "draft" ? outcome(name) : record.intent(name));
    const open: Actor["journal"]["open"] = (role, key) =>
      key === job.id ? ({ ...record, outcome, intent } as typeof record) : requester.journal.open(role, key);
    const journal = { ...requester.journal, open };
    return draftAgain({ ...requester, journal }, job, audit, { asked }, waits);
  };
  const now = await requester.market.now(waits);
  assert.deepEqual(await again({ until: now + 60 }), { why: "its run could no longer end in time" });
  assert.deepEqual(await again({ failovers: 0 }), { why: "it may not be posted again by itself" });
  assert.deepEqual(await again({ passed: [provider.account, other.account] }), {
    why: "no other provider fits it",
  });
  for (const end of [{ ended: "exit", exitCode: 3 }, { ended: "memory" }]) {
    const notice = { run: { ...ended, ...end } };
    assert.deepEqual(await again({}, { notice }), { why: "its task failed there by its own doing" });
  }

  // A checkpoint that the disk has damaged since is left out: the job begins where its bundle does.
  const { blob } = (await keptCheckpoint(requester.jobsDir, job.id))!;
  await writeFile(blob.path, randomBytes(blob.size));
  const found = await again(
    { failovers: 0 },
    { asked: true, notice: { run: { ...ended, ended: "memory" } } },
  );
  assert.ok("next" in found);
  const next = openDraft(requester.journal, found.next).draft;
  const into = join(requester.home, "opened");
  await requester.parcels.open({ blob: next.bundle, sessionKey: next.bundleKey, into, limits: roomy }, waits);
  assert.deepEqual(readdirSync(into), ["data.bin"]);
});

test("a job whose validators run it again has no checkpoints: they would have to trust them", async () => {
  const file = (mode: JobFile["verification"]["mode"], checkpoint: string) =>
    jobFileSchema.safeParse({
      ...{ version: 1, name: "x", image: "python-ml", command: ["x"], inputs: ["x"], outputs: ["y"] },
      resources: { checkpoint, disk: "4 MiB" },
      verification: { mode, threshold: 0.5, ...(mode === "exam" && { inputs: ["e"] }) },
    }).success;
  assert.deepEqual(
    (["evaluate", "exam", "replicate", "digest"] as const).map((mode) => file(mode, "1 MiB")),
    [true, true, false, false],
  );
  assert.equal(file("evaluate", "5 MiB"), false, "it must fit the disk");
  assert.equal(file("evaluate", "0 B"), false);
});
