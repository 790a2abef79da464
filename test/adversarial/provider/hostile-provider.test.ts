import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { parse, stringify } from "yaml";
import type { Home } from "../../../src/devnet/homes.ts";
import type { Feed } from "../../../src/ports/transport.ts";
import { compensationOf } from "../../../src/protocol/job/bond.ts";
import { PART_CHARS } from "../../../src/protocol/limits.ts";
import { decodeLocator } from "../../../src/protocol/parcel/locator.ts";
import { encodePart, type LivePart, liveKeys, liveLogPurpose } from "../../../src/protocol/task/live-log.ts";
import type { RoleContext } from "../../../src/roles/context.ts";
import { fetchBundle } from "../../../src/roles/task/fetch-bundle.ts";
import { send } from "../../support/chain/chain.ts";
import { jobFile, removed, takeInHand, waits } from "../../support/market/by-hand.ts";
import { bad, commit, revealAlone, seated, when } from "../../support/market/hand-validator.ts";
import { ended, lastJson, startTestMarket, type TestMarket } from "../../support/market/market.ts";
import { gains, wealthOf } from "../../support/market/wealth.ts";
import { needs } from "../../support/require.ts";

/** Leaves a result that takes minutes at the least rate that a hosting can be given. */
const LARGE_TASK =
  'import os, sys\nif sys.argv[1] == "0": open("/out/model", "wb").write(os.urandom(24 << 20))\nprint("acc: 1.0")\n';

describe("a hostile or unlucky provider", needs("root", "docker"), () => {
  const cleanup: (() => unknown)[] = [];
  let market: TestMarket;
  /** A validator that votes as the test says, and a provider that does what the test says. */
  let accomplice: RoleContext;
  let hand: RoleContext;

  before(async () => {
    market = await startTestMarket(
      { after: (fn) => void cleanup.push(fn as () => unknown) },
      { transport: "direct", providers: 4, validators: 2, bad: ["slow", "no-report", "no-seed"] },
    );
    accomplice = await inHand(market.validators[0]!);
    hand = await inHand(market.providers[3]!);
  });
  after(async () => {
    for (const one of cleanup) await one();
  });

  /** Ends a daemon, whose offer and stake stay, and acts in its name. */
  async function inHand(home: Home): Promise<RoleContext> {
    await market.killActor(home.name);
    const opened = await takeInHand(home);
    cleanup.unshift(() => opened[Symbol.asyncDispose]());
    return opened;
  }

  /** Submits a job to this provider as the requester does, with the validator of that number. */
  async function submit(provider: number, validator: number, more: Record<string, unknown> = {}) {
    const before = await wealthOf(market);
    const { account } = market.providers[provider]!;
    const path = await jobFile(market, `to-${provider}-${Object.keys(more).join("-")}`, {
      price: "0.01",
      ...more,
    });
    const named = ["--provider", account, "--validator", market.validators[validator]!.account];
    const ending = ended(market.launch(["submit", path, ...named, "--wait", "--out", `${path}.out`]));
    const first = async () => {
      for await (const job of hand.market.watch({ provider: account }, waits))
        if (job.state !== "Refunded" && job.state !== "Cancelled") return job;
      return assert.fail("the watch ended");
    };
    return {
      job: await Promise.race([first(), ending.then(({ stdout }) => assert.fail(stdout))]),
      /** What it came to, and by how much everybody is richer than before it, gas left aside. */
      async failed() {
        const { code, stdout, stderr } = await ending;
        assert.equal(code, 8, stdout + stderr);
        const { error } = lastJson(stdout) as { error: { code: string; details: { jobId: `0x${string}` } } };
        assert.equal(error.code, "JOB_FAILED");
        assert.equal(existsSync(`${path}.out`), false);
        const last = await hand.market.job(error.details.jobId, waits);
        assert.equal(last.state, "Refunded");
        return { last, ...gains(before, await wealthOf(market)) };
      },
    };
  }

  const requester = () => market.requester.account;
  const providers = (index: number) => market.providers[index]!.account;
  const validators = (index: number) => market.validators[index]!.account;

  it(
    "whose engine is gone gives a job back before its run window ends, and loses nothing",
    needs("root", "docker"),
    async () => {
      const { job, failed } = await submit(0, 1);
      const accepted = await when(hand, job.id, ({ state }) => state === "Accepted");
      // Of the window, less is left than a run needs, and enough to say so.
      await market.evm.increaseTime(accepted.terms.windows.run - 100);
      const { last, change, all } = await failed();
      assert.equal(last.cause, "released");
      assert.deepEqual([change(requester()), change(providers(0)), all], [0n, 0n, 0n]);
      await removed(market.providers[0]!, "provider", job.id);
      assert.equal((await hand.market.offer(providers(0), waits))?.lockedStake, 0n);
    },
  );

  it(
    "that hides its measurement loses its stake, a tenth of it to the requester",
    needs("root", "docker"),
    async () => {
      const { job, failed } = await submit(1, 1);
      const open = await when(hand, job.id, ({ state, committing }) => state === "Validating" && !committing);
      const { timestamp } = (await market.chain.getBlock("latest"))!;
      await market.evm.increaseTime(open.deadline! - timestamp - 40);
      const revealed = await when(hand, job.id, ({ validations }) =>
        validations.some((one) => one.measurement),
      );
      assert.equal(revealed.disclosed, false);
      await market.evm.increaseTime(2 * revealed.terms.windows.reveal);
      const { last, change, all } = await failed();
      const { providerStake, validatorFee } = last.terms;
      assert.equal(last.cause, "hid");
      assert.equal(change(providers(1)), -providerStake);
      assert.equal(change(requester()), compensationOf(last.terms) - validatorFee);
      assert.equal(change(validators(1)), validatorFee);
      assert.equal(all, compensationOf(last.terms) - providerStake, "the rest is nobody's");
    },
  );

  it(
    "that keeps its seed back in its own appeal's draw loses its stake, a tenth to the requester",
    needs("root", "docker"),
    async () => {
      const { job, failed } = await submit(2, 0);
      await seated(accomplice);
      const vote = bad();
      await commit(accomplice, job, vote);
      await when(hand, job.id, ({ state, committing }) => state === "Validating" && !committing);
      await revealAlone(accomplice, job, vote);
      const drawn = await when(hand, job.id, ({ appealed, seeded }) => appealed && seeded);
      await market.evm.increaseTime(drawn.terms.windows.reveal + 1);
      const { last, change, all } = await failed();
      const { providerStake, validatorFee } = last.terms;
      assert.equal(last.cause, "hid");
      assert.equal(change(providers(2)), -providerStake);
      assert.equal(change(requester()), compensationOf(last.terms) - validatorFee);
      assert.equal(all, compensationOf(last.terms) - providerStake);
    },
  );

  it(
    "that serves its result at a trickle keeps no requester from its money past the deadline",
    needs("root", "docker"),
    async () => {
      const [, , { name, dir }] = market.providers as [Home, Home, Home];
      await market.killActor(name);
      const config = join(dir, "config.yaml");
      const slow = { hosting: { bytesPerSecond: 64 * 1024 } };
      writeFileSync(config, stringify({ ...parse(readFileSync(config, "utf8")), ...slow }));
      await market.startActor(name);
      const resources = { memory: "256 MiB", disk: "32 MiB", time: "1m" };
      const { job, failed } = await submit(2, 1, { task: LARGE_TASK, resources });
      const { terms } = await when(hand, job.id, ({ state }) => state === "Submitted");
      const { appoint, claim } = terms.windows;
      await market.evm.increaseTime(appoint + claim + 2);
      const started = performance.now();
      const { last, change } = await failed();
      assert.ok(performance.now() - started < 60_000, "long before the whole result could have come");
      // Nor did it have validators drawn: that is its own fault by now.
      assert.equal(last.cause, "claimMissed");
      assert.equal(change(requester()), compensationOf(last.terms));
      assert.equal(change(providers(2)), -last.terms.providerStake);
    },
  );

  it(
    "that sends a live log without end, or one that stands still, fills no requester's disk",
    needs("root", "docker"),
    async () => {
      const { job, failed } = await submit(3, 1);
      await send(hand.market, { kind: "accept", job });
      const locator = decodeLocator(await hand.keyring.unseal(job.sealedBundle), "bundle");
      const record = hand.journal.open("provider", job.id);
      const bundle = await fetchBundle(hand, record, { job, locator, maxBytes: 1 << 20 }, waits);
      const reader = { account: job.terms.requester, keys: bundle.requester };
      const keys = liveKeys(await hand.keyring.agree(reader.keys.onionKey, liveLogPurpose(job.id)));
      const identity = await hand.transport.meetingPoint(keys.seed);
      /** What `ichain logs` comes to while this is sent. */
      const follow = async (next: (from: number) => LivePart) => {
        const feed: Feed = {
          id: keys.id,
          read: async (from) =>
            Buffer.from((await hand.keyring.seal(encodePart(next(from), keys.mac), reader)).slice(2), "hex"),
        };
        const readers = [reader.keys];
        const hosting = await hand.transport.host({ identity, blobs: [], readers, feeds: [feed] }, waits);
        const came = await market.attempt(["logs", job.id, "--follow"]);
        await hosting.stop();
        return came;
      };
      const still = await follow((from) => ({ from, next: from, text: "again", last: false }));
      assert.equal((lastJson(still.stdout).error as { code: string }).code, "LOG_UNTRUSTED");
      const text = "x".repeat(PART_CHARS);
      const { code, stdout } = await follow((from) => ({ from, next: from + 1, text, last: false }));
      assert.equal(code, 0);
      assert.ok(stdout.length < 6 * 2 ** 20, `${stdout.length} characters`);
      const book = new DatabaseSync(join(market.requester.dir, "journal.db"), { readOnly: true });
      const query = book.prepare("SELECT sum(length(text)) AS kept FROM output WHERE key = ?");
      const { kept } = query.get(job.id) as { kept: number };
      book.close();
      assert.ok(kept > 2 ** 20 && kept < 4.1 * 2 ** 20, `${kept} characters`);
      const again = await hand.market.job(job.id, waits);
      await send(hand.market, { kind: "release", job: again, reason: "no more of this" });
      await failed();
    },
  );
});
