import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import type { Job } from "../../../src/protocol/job/job.ts";
import type { Measurement } from "../../../src/protocol/job/measurement.ts";
import { toScore } from "../../../src/protocol/task/metric.ts";
import type { RoleContext } from "../../../src/roles/context.ts";
import { random32 } from "../../support/chain/terms.ts";
import { jobFile, takeInHand, waits } from "../../support/market/by-hand.ts";
import { bad, commit, revealAlone, seated, when } from "../../support/market/hand-validator.ts";
import { ended, lastJson, startTestMarket, type TestMarket } from "../../support/market/market.ts";
import { gains, wealthOf } from "../../support/market/wealth.ts";
import { makeTree } from "../../support/parcel/parcels.ts";
import { requireDocker, requireRoot } from "../../support/require.ts";

const able = (t: TestContext) => requireRoot(t) && requireDocker(t);

describe("a hostile validator that the requester names", () => {
  const cleanup: (() => unknown)[] = [];
  let market: TestMarket;
  let one: RoleContext;
  let two: RoleContext;

  before(async (context) => {
    if (!able(context as unknown as TestContext)) return;
    market = await startTestMarket(
      { after: (fn) => void cleanup.push(fn as () => unknown) },
      { transport: "direct", validators: 4 },
    );
    one = await inHand(0);
  });
  after(async () => {
    for (const each of cleanup) await each();
  });

  /** Ends a validator's daemon, whose offer and stake stay, and acts in its name. */
  async function inHand(index: number): Promise<RoleContext> {
    const home = market.validators[index]!;
    await market.killActor(home.name);
    const opened = await takeInHand(home);
    cleanup.unshift(() => opened[Symbol.asyncDispose]());
    return opened;
  }

  /** Submits a job as the requester does, naming these; what it comes to, and how rich everybody was before. */
  async function submit(name: string, ...named: RoleContext[]) {
    const before = await wealthOf(market);
    const path = await jobFile(market, name, {
      price: "0.01",
      verification: { threshold: 0.5, validators: named.length },
    });
    const validators = named.flatMap(({ account }) => ["--validator", account]);
    const args = [
      "submit",
      path,
      "--provider",
      "best",
      ...validators,
      "--wait",
      "--out",
      join(market.dir, `${name}-out`),
    ];
    const ending = ended(market.launch(args));
    const job = await Promise.race([seated(named[0]!), ending.then(({ stdout }) => assert.fail(stdout))]);
    return {
      job,
      /** What it came to, and by how much everybody is richer than before it, gas left aside. */
      async settled() {
        const { code, stdout, stderr } = await ending;
        assert.equal(code, 0, stdout + stderr);
        assert.equal(lastJson(stdout).state, "Settled");
        return { last: await one.market.job(job.id, waits), ...gains(before, await wealthOf(market)) };
      },
    };
  }

  /** Of what the task makes. */
  async function honest(): Promise<Measurement> {
    const outputs = await makeTree(join(market.dir, `outputs-${random32()}`), { model: "x" });
    const digest = await one.parcels.digest(outputs, ["model"], waits);
    return { digest, score: toScore(1, "max"), salt: random32() };
  }

  const panelOf = ({ validations }: Job) =>
    BigInt(validations.filter(({ round, measurement }) => round === "appeal" && measurement).length);

  it("loses its whole stake by committing and hiding, nobody gains, and the provider is paid", async (t) => {
    if (!able(t)) return;
    const { job, settled } = await submit("hides", one);
    await commit(one, job, bad());
    await when(one, job.id, ({ committing }) => !committing);
    await market.evm.increaseTime(job.terms.windows.reveal + 1);
    const { last, change, all } = await settled();
    const { price, validatorFee, validatorStake } = last.terms;
    assert.ok(validatorStake > 0n && last.appealed && last.verdict === "pass");
    const fees = panelOf(last) * validatorFee;
    assert.ok(fees > 0n);
    assert.equal(change(one.account), -validatorStake);
    assert.equal(change(market.requester.account), -price);
    assert.equal(change(market.providers[0]!.account), price - fees);
    assert.equal(all, -validatorStake, "what was slashed is nobody's");
  });

  it("does not make an honest provider fail by revealing in the last second", async (t) => {
    if (!able(t)) return;
    const { job, settled } = await submit("last-second", one);
    const value = await honest();
    await commit(one, job, value);
    const open = await when(one, job.id, ({ committing }) => !committing);
    // Whatever the provider would answer at once: it is not there.
    const [provider] = market.providers;
    await market.killActor(provider!.name);
    const { timestamp } = (await market.chain.getBlock("latest"))!;
    await market.evm.increaseTime(open.deadline! - timestamp - 2);
    await revealAlone(one, job, value);
    await market.evm.increaseTime(30);
    assert.ok((await market.chain.getBlock("latest"))!.timestamp > open.deadline!);
    await market.startActor(provider!.name);
    const { last, change, all } = await settled();
    const { price, validatorFee } = last.terms;
    assert.deepEqual([last.verdict, last.appealed, last.disclosed], ["pass", false, true]);
    assert.equal(change(provider!.account), price);
    assert.equal(change(one.account), validatorFee);
    assert.equal(all, 0n);
  });

  it("loses fee and stake by a false rejection, against which the provider appeals by default", async (t) => {
    if (!able(t)) return;
    const { job, settled } = await submit("accomplice", one);
    const value = bad();
    await commit(one, job, value);
    await when(one, job.id, ({ committing }) => !committing);
    await revealAlone(one, job, value);
    const { last, change, all } = await settled();
    const { price, validatorFee, validatorStake } = last.terms;
    assert.deepEqual([last.verdict, last.appealed], ["pass", true]);
    const fees = panelOf(last) * validatorFee;
    assert.equal(change(one.account), -validatorStake);
    assert.equal(change(market.requester.account), -price - validatorFee);
    assert.equal(change(market.providers[0]!.account), price + validatorFee - fees);
    assert.equal(all, -validatorStake);
  });

  it("gains nothing with another by splitting their votes: the lack of a verdict is appealed against", async (t) => {
    if (!able(t)) return;
    two = await inHand(1);
    const { job, settled } = await submit("split", one, two);
    const [false_, true_] = [bad(), await honest()];
    await commit(one, job, false_);
    await seated(two);
    await commit(two, job, true_);
    await when(one, job.id, ({ committing }) => !committing);
    await revealAlone(one, job, false_);
    await revealAlone(two, job, true_);
    const { last, change, all } = await settled();
    const { price, validatorFee, validatorStake } = last.terms;
    assert.deepEqual([last.verdict, last.appealed], ["pass", true]);
    const fees = panelOf(last) * validatorFee;
    assert.equal(change(one.account), -validatorStake);
    assert.equal(change(two.account), validatorFee);
    assert.equal(change(market.requester.account), -price - 2n * validatorFee);
    assert.equal(change(market.providers[0]!.account), price + validatorFee - fees);
    assert.equal(all, -validatorStake);
  });
});
