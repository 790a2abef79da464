import assert from "node:assert/strict";
import { it } from "node:test";
import type { Sandbox, TaskRun } from "../../../src/ports/sandbox.ts";
import { policySchema } from "../../../src/protocol/policy/policy.ts";
import { runDaemon } from "../../../src/roles/daemon/daemon.ts";
import { provideDuty, setupOf } from "../../../src/roles/job/provider/run-job.ts";
import { jobFile, takeInHand, waits } from "../../support/market/by-hand.ts";
import { ended, lastJson, startTestMarket } from "../../support/market/market.ts";
import { gains, wealthOf } from "../../support/market/wealth.ts";
import { needs } from "../../support/require.ts";

it(
  "a provider that claims a failure and runs nothing is found out by a validator, and loses its stake",
  needs("root", "docker"),
  async (t) => {
    const market = await startTestMarket(t, { transport: "direct" });
    const [home] = market.providers;
    const [validator] = market.validators;
    assert.ok(home && validator);
    await market.killActor(home.name);
    const hand = await takeInHand(home);
    const runs: string[] = [];
    const claimed: TaskRun = {
      exitCode: 1,
      ended: "exit",
      log: "Traceback: none of your business\n",
      logTruncated: false,
      ...{ wallSeconds: 1, cpuSeconds: 1, peakMemoryBytes: 1 },
    };
    const idle: Partial<Sandbox> = {
      run: async ({ id }) => {
        runs.push(id);
        return claimed;
      },
      reserve: async () => [],
      release: () => undefined,
      discard: async () => undefined,
    };
    const { details } = (await hand.market.offer(home.account, waits))!;
    const duty = provideDuty(
      { ...hand, sandbox: idle as Sandbox },
      setupOf({
        policy: policySchema.parse({ appeal: "never" }),
        machine: details,
        report: { tier: "runc" } as never,
      }),
    );
    const halt = new AbortController();
    const daemon = runDaemon(hand, duty, halt).catch((error: unknown) => {
      if (!halt.signal.aborted) throw error;
    });
    t.after(async () => {
      halt.abort();
      await daemon;
      await hand[Symbol.asyncDispose]();
    });

    const before = await wealthOf(market);
    const path = await jobFile(market, "works", { price: 0.1, effort: 0.9 });
    const named = ["--provider", home.account, "--validator", validator.account];
    const ending = ended(market.launch(["submit", path, ...named, "--wait", "--out", `${path}.out`]));
    const rejected = await market.state("Rejected");
    assert.equal(rejected.verdict, "fail");
    assert.equal(rejected.providerMeasurement?.score, 0n);
    await market.evm.increaseTime(rejected.terms.windows.appeal + 1);
    const { stdout } = await ending;
    assert.equal((lastJson(stdout) as { error: { code: string } }).error.code, "JOB_FAILED", stdout);
    const { change } = gains(before, await wealthOf(market));
    const { providerStake, validatorFee } = rejected.terms;
    assert.equal(runs.length, 2, "it pretends to have run it twice");
    assert.ok(providerStake > 0n);
    assert.deepEqual(
      [home, validator, market.requester].map(({ account }) => change(account)),
      [-providerStake, validatorFee, -validatorFee],
    );
  },
);
