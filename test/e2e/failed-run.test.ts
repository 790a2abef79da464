import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { shareOf } from "../../src/protocol/job/terms.ts";
import { jobFile } from "../support/market/by-hand.ts";
import { ended, lastJson, startTestMarket, type TestMarket } from "../support/market/market.ts";
import { gains, wealthOf } from "../support/market/wealth.ts";
import { needs } from "../support/require.ts";

/**
 * Fails always, after it has printed more than a live log shows. Its error goes to the same output: an engine reads the
 * two outputs of a task each by itself, and what one of them says last may come before the end of the other.
 */
const FAILING = `
import sys
print("begin")
for i in range(4000): print("line", i)
print("no such column: price")
sys.exit(1)
`;
const UNFIT =
  'import os\nos.mkdir("/out/model")\nos.symlink("/etc/passwd", "/out/model/link")\nprint("left a link")\n';
/** Cannot read what it wrote. */
const UNREADABLE =
  'import json, sys\nif sys.argv[1] == "0": open("/out/model", "w").write("{")\nelse: json.load(open("/out/model"))\n';

interface Failed {
  readonly error: { code: string; message: string; details: { jobId: `0x${string}` } };
}

describe("a run that fails", needs("root", "docker"), () => {
  const cleanup: (() => unknown)[] = [];
  let market: TestMarket;

  before(async () => {
    market = await startTestMarket(
      { after: (fn) => void cleanup.push(fn as () => unknown) },
      { transport: "direct" },
    );
  });
  after(async () => {
    for (const one of cleanup) await one();
  });

  /**
   * Submits a job and passes over the window to appeal, which a provider does not do against what it says itself; resolves
   * with what came of it.
   */
  async function fails(name: string, more: Record<string, unknown>) {
    const before = await wealthOf(market);
    const path = await jobFile(market, name, { price: 0.1, effort: 0.25, ...more });
    const flags = ["--provider", "best", "--validator", "best", "--wait", "--out", `${path}.out`];
    const ending = ended(market.launch(["submit", path, ...flags]));
    for await (const { state, terms } of market.jobs()) {
      if (state !== "Rejected") continue;
      await market.evm.increaseTime(terms.windows.appeal + 1);
      break;
    }
    const { stdout, stderr } = await ending;
    const { error } = lastJson(stdout) as unknown as Failed;
    assert.equal(error.code, "JOB_FAILED", stdout + stderr);
    const job = (await market.ichain(["job", error.details.jobId])) as unknown as {
      jobId: `0x${string}`;
      state: string;
      verdict: string;
      providerMeasurement: { failed?: true };
      validations: { measurement?: { failed?: true } }[];
      terms: { providerStake: string; validatorFee: string };
    };
    assert.equal(job.state, "Refunded");
    return { error, job, ...gains(before, await wealthOf(market)) };
  }

  const PRICE = 10n ** 17n;
  const outcomes = async () => {
    const { providers } = (await market.ichain(["providers"])) as {
      providers: { ratingAsProvider: { outcomes: Record<string, number> } }[];
    };
    return providers[0]!.ratingAsProvider.outcomes;
  };

  for (const [name, task, more, failure, says] of [
    [
      "exits",
      FAILING,
      {},
      { run: "0", kind: "exit", exitCode: 1 },
      /^\[the beginning is left out\][\s\S]*line 3999\nno such column/,
    ],
    [
      "is too large",
      "print('big', flush=True); x = b'x' * (1 << 30)",
      { verification: { mode: "replicate", threshold: 0.5 } },
      { run: "0", kind: "memory" },
      /big/,
    ],
    ["leaves a link", UNFIT, {}, { run: "0", kind: "unfit" }, /left a link/],
    ["cannot read its result", UNREADABLE, {}, { run: "1", kind: "exit", exitCode: 1 }, /JSONDecodeError/],
  ] as const) {
    it(
      `because its task ${name} is confirmed by a validator, and pays the effort`,
      needs("root", "docker"),
      async () => {
        const unmet = (await outcomes()).unmet ?? 0;
        const [provider, validator] = [market.providers[0]!, market.validators[0]!];
        const { job, change } = await fails(name.replaceAll(" ", "-"), { task, ...more });
        assert.equal(job.verdict, "unmet");
        assert.equal(change(provider.account), shareOf(PRICE, 2500));
        assert.equal(change(validator.account), BigInt(job.terms.validatorFee));
        assert.equal(
          change(market.requester.account),
          -shareOf(PRICE, 2500) - BigInt(job.terms.validatorFee),
        );
        assert.deepEqual(
          [job.providerMeasurement.failed, job.validations[0]?.measurement?.failed],
          [true, true],
        );
        const why = (await market.ichain(["why", job.jobId])) as { stands: string; failure: object };
        assert.partialDeepStrictEqual(why.failure, failure);
        assert.match(why.stands, /^The run failed, and validators saw/);
        const { stdout } = await market.attempt(["logs", job.jobId]);
        assert.match((lastJson(stdout.split("\n")[0]!) as { text: string }).text, says);
        assert.equal((await outcomes()).unmet, unmet + 1);
      },
    );
  }
});
