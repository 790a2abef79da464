import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openJournal } from "../../../src/journal/journal.ts";
import { type JobId, shortId } from "../../../src/protocol/ids.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import { tokenFor } from "../../../src/protocol/parcel/locator.ts";
import type { RoleContext } from "../../../src/roles/context.ts";
import { advance } from "../../../src/roles/job/requester/advance.ts";
import type { Collected } from "../../../src/roles/job/requester/collect.ts";
import { post } from "../../../src/roles/job/requester/posting/post.ts";
import { send } from "../../support/chain/chain.ts";
import { deployToken } from "../../support/chain/token.ts";
import {
  type ByHand,
  COIN,
  draftByHand,
  jobFile,
  listen,
  removed,
  takeInHand,
  waits,
} from "../../support/market/by-hand.ts";
import { lastJson, startTestMarket, type TestMarket } from "../../support/market/market.ts";
import { code } from "../../support/parcel/parcels.ts";
import { needs } from "../../support/require.ts";

const KIB = 1024;

describe("a hostile requester", needs("root", "docker"), () => {
  const cleanup: (() => unknown)[] = [];
  let market: TestMarket;
  let mallory: RoleContext;
  let provider: TestMarket["providers"][number];
  let stake: bigint;
  let ear: ReturnType<typeof listen>;

  before(async () => {
    market = await startTestMarket(
      { after: (fn) => void cleanup.push(fn as () => unknown) },
      { transport: "direct" },
    );
    provider = market.providers[0]!;
    stake = await market.stake(provider.account);
    ear = listen(market, provider.name);
    const opened = await takeInHand(market.requester);
    cleanup.unshift(() => opened[Symbol.asyncDispose]());
    mallory = opened;
  });
  after(async () => {
    for (const one of cleanup) await one();
  });

  const named = () => [market.validators[0]!.account];
  const plan = (more: Partial<ByHand> = {}): ByHand => ({
    provider: provider.account,
    validators: named(),
    ...more,
  });

  /** Posts and hosts nothing. */
  async function postAlone(job: ByHand): Promise<Job> {
    const { id, draft } = await draftByHand(mallory, job);
    await post(mallory, mallory.journal.open("requester", id), draft, waits);
    return mallory.market.job(id, waits);
  }

  /** Hosts its bundle until `leave`, and posts. */
  async function postAndHost(job: ByHand) {
    const { id, draft, blob } = await draftByHand(mallory, job);
    const { identity, provider: reader } = draft;
    const token = tokenFor(identity.endpoint.token, reader.keys.fingerprint);
    const readers = [{ ...reader.keys, token }];
    const hosting = await mallory.transport.host({ identity, blobs: [blob], readers }, waits);
    await post(mallory, mallory.journal.open("requester", id), draft, waits);
    return { id, leave: () => hosting.stop() };
  }

  /** Cancels it, and all of its money is back. */
  async function cancel(id: JobId): Promise<void> {
    const job = await mallory.market.job(id, waits);
    assert.equal(job.state, "Posted");
    await send(mallory.market, { kind: "cancel", job });
    assert.equal((await mallory.market.job(id, waits)).state, "Cancelled");
  }

  async function inState(id: JobId, wanted: Job["state"]): Promise<Job> {
    for await (const job of mallory.market.follow(id, waits)) if (job.state === wanted) return job;
    return assert.fail(`it never was ${wanted}`);
  }

  const done = (id: JobId) => removed(provider, "provider", id);
  const folders = () => readdirSync(join(provider.dir, "jobs", "provider"));
  const folderOf = (id: JobId) => folders().filter((name) => name === id.slice(2));

  /** Nothing was lost or is held: neither stake nor disk. */
  async function unharmed(): Promise<void> {
    const offer = await mallory.market.offer(provider.account, waits);
    assert.deepEqual([offer?.stake, offer?.lockedStake], [stake, 0n]);
  }

  async function honestJob(name: string): Promise<void> {
    const path = await jobFile(market, name);
    const { state } = await market.ichain([
      "submit",
      path,
      "--provider",
      "best",
      "--validator",
      "best",
      "--wait",
    ]);
    assert.equal(state, "Settled");
  }

  it(
    "gets no stake by windows that nobody can keep: contract, client and provider refuse them",
    needs("root", "docker"),
    async () => {
      const short = plan({ terms: ({ windows }) => ({ windows: { ...windows, claim: 299 } }) });
      await assert.rejects(postAlone(short), code("ESCROW_INVALID_TERMS"));
      const floor = {
        run: 60,
        appoint: 300,
        commit: 300,
        reveal: 300,
        claim: 300,
        challenge: 300,
        appeal: 300,
      };
      const { id } = await postAlone(plan({ terms: () => ({ windows: floor }) }));
      // It hosts nothing: whoever began to fetch would not come to say this.
      await ear.said(/not accepted \(WINDOW_TOO_SHORT\)/);
      await cancel(id);
      await unharmed();
      const path = await jobFile(market, "short", { windows: { claim: "5m" } });
      const { code: status, stdout } = await market.attempt(["submit", path, "--provider", "best"]);
      assert.deepEqual([status, (lastJson(stdout).error as { code: string }).code], [2, "WINDOW_TOO_SHORT"]);
    },
  );

  it("gets no work for a token of its own making", async () => {
    const token = await deployToken(market.network.rpcUrl, market.evm.accounts[0]!.address);
    await token.transfer(mallory.account, COIN);
    await send(mallory.market, { kind: "approve", token: token.address, amount: COIN });
    const { id } = await postAlone(plan({ terms: () => ({ token: token.address }) }));
    await ear.said(/not accepted \(TOKEN_UNKNOWN\)/);
    await cancel(id);
    await unharmed();
  });

  it(
    "leaves nothing at a provider by a stake that it has not got, or by limits that no sandbox takes",
    needs("root", "docker"),
    async () => {
      const dear = () => ({ price: 5n * COIN, providerStake: 5n * COIN, validatorStake: COIN });
      const large = await postAlone(plan({ terms: dear }));
      await ear.said(/not accepted \(STAKE_TOO_LITTLE\)/);
      const resources = { cpus: 1, memory: KIB * KIB, disk: KIB * KIB, time: 60, gpus: 0 };
      const tiny = await postAndHost(plan({ spec: { resources } }));
      await ear.said(/not accepted \(MEMORY_TOO_SMALL\)/);
      await tiny.leave();
      for (const { id } of [large, tiny]) {
        await done(id);
        assert.deepEqual(folderOf(id), []);
        await cancel(id);
      }
      await unharmed();
    },
  );

  it(
    "does not keep a provider from honest jobs by one that it cancels, nor after a restart",
    needs("root", "docker"),
    async () => {
      const first = await postAlone(plan());
      await ear.said(/Fetching the bundle/);
      await cancel(first.id);
      await honestJob("after-a-cancelled-one");
      const second = await postAlone(plan());
      await ear.said(/Fetching the bundle/);
      await market.killActor(provider.name);
      await cancel(second.id);
      await market.startActor(provider.name);
      await honestJob("after-a-restart");
      await unharmed();
    },
  );

  it(
    "gets nothing of a stake by a metric of chance: the job is given back",
    needs("root", "docker"),
    async () => {
      const task =
        'import random, sys\nif sys.argv[1] == "0": open("/out/model", "w").write("x")\nprint("acc:", 0.6 + random.random() / 4)\n';
      const path = await jobFile(market, "chance", { task, verification: { threshold: 0.5, tolerance: 0 } });
      const { code: status, stdout } = await market.attempt(["submit", path, "--provider", "best", "--wait"]);
      const { error } = lastJson(stdout) as { error: { code: string; details: { jobId: JobId } } };
      assert.deepEqual([status, error.code], [8, "JOB_FAILED"], stdout);
      const { state, cause, submission } = await mallory.market.job(error.details.jobId, waits);
      assert.deepEqual([state, cause, submission], ["Refunded", "released", undefined]);
      await unharmed();
    },
  );

  it(
    "holds no place for work by being gone after `accept`, however long its windows are",
    needs("root", "docker"),
    async () => {
      const days = (count: number) =>
        plan({ terms: ({ windows }) => ({ windows: { ...windows, appoint: count * 86_400 } }) });
      const { id: tooLong } = await postAlone(days(8));
      await ear.said(/not accepted \(WINDOW_TOO_LONG\)/);
      await cancel(tooLong);
      const gone = await draftByHand(mallory, days(6));
      await advance(mallory, gone.id, { stopAt: ["Accepted", "Submitted"] }, waits);
      await inState(gone.id, "Submitted");
      await honestJob("beside-one-that-is-gone"); // one place for work is the default
      const { state, deadline } = await mallory.market.job(gone.id, waits);
      assert.equal(state, "Submitted");
      assert.ok(deadline! > (await mallory.market.now(waits)) + 5 * 86_400);
      // It comes back in the end: nothing is left for the tests after this one.
      assert.equal((await advance(mallory, gone.id, {}, waits)).state, "Settled");
      await unharmed();
    },
  );

  it(
    "has no result served on that it took without validators and settled itself",
    needs("root", "docker"),
    async () => {
      const path = await jobFile(market, "optimistic", { verification: { threshold: 0.5, validators: 0 } });
      const { state, jobId } = await market.ichain(["submit", path, "--provider", "best", "--wait"]);
      assert.equal(state, "Settled");
      await ear.said(new RegExp(`Job ${shortId(jobId as JobId)}: ended Settled$`, "m"));
      await done(jobId as JobId);
      const book = openJournal(join(market.requester.dir, "journal.db"));
      const collected = book.open("requester", jobId as JobId).outcome<Collected>("collect");
      book.close();
      const [host, port] = collected!.locator.result.address.split(":");
      const socket = connect(Number(port), host);
      const refused = await Promise.race([once(socket, "error"), once(socket, "connect")]);
      assert.equal((refused[0] as NodeJS.ErrnoException | undefined)?.code, "ECONNREFUSED");
      assert.deepEqual(folderOf(jobId as JobId), []);
    },
  );

  it(
    "a backup that holds the journal for long does not end the daemon",
    needs("root", "docker"),
    async () => {
      const holder = await holdJournal(join(provider.dir, "journal.db"), 15_000);
      const released = once(holder, "exit");
      const job = honestJob("while-the-journal-is-held");
      await released;
      await job;
      await unharmed();
      assert.doesNotMatch(
        readFileSync(join(market.dir, `${provider.name}.log`), "utf8"),
        /INTERNAL|^\s+at /m,
      );
    },
  );
});

/** A second process that keeps everybody else from writing for that long. */
async function holdJournal(path: string, ms: number): Promise<ChildProcess> {
  const program = `
    const { DatabaseSync } = require("node:sqlite");
    const db = new DatabaseSync(${JSON.stringify(path)}, { timeout: 5000 });
    db.exec("BEGIN EXCLUSIVE");
    console.log("held");
    setTimeout(() => db.exec("ROLLBACK"), ${ms});`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}
