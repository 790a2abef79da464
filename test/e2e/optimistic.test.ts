import assert from "node:assert/strict";
import { access, cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { parse, stringify } from "yaml";
import { temporaryFolder } from "../support/binary.ts";
import { withValidators } from "../support/chain/draws.ts";
import {
  digits,
  ended,
  gasPaid,
  lastJson,
  startTestMarket,
  type TestMarket,
} from "../support/market/market.ts";
import { needs } from "../support/require.ts";

/** The digits job without validators. */
async function optimistic({ dir }: TestMarket): Promise<string> {
  const file = join(dir, "optimistic.yaml");
  await cp(digits.replace("job.yaml", "task.py"), join(dir, "task.py"));
  await writeFile(file, withValidators(await readFile(digits, "utf8"), 0));
  return file;
}

async function audits({ requester }: TestMarket, check: "open" | "evaluate"): Promise<void> {
  const config = join(requester.dir, "config.yaml");
  const settings = parse(await readFile(config, "utf8")) as object;
  await writeFile(config, stringify({ ...settings, audit: { check } }));
}

for (const check of ["open", "evaluate"] as const) {
  it(
    `a result without validators is settled early when it passes the requester's check: ${check}`,
    needs("root", "docker"),
    async (t) => {
      const market = await startTestMarket(t, { transport: "direct", validators: 1 });
      await audits(market, check);
      const { chain, requester } = market;
      const [balance, block] = [await chain.getBalance(requester.account), await chain.getBlockNumber()];
      const out = join(market.dir, "out");
      const result = await market.ichain(["submit", await optimistic(market), "--wait", "--out", out]);
      assert.deepEqual([result.state, result.verdict], ["Settled", "none"]);
      assert.ok((await readFile(join(out, "model.safetensors"))).length > 1000);
      const job = await market.state("Settled");
      assert.equal(job.validations.length, 0);
      const transactions = await market.transactions(block + 1);
      const moved = transactions.filter(({ receipt }) =>
        receipt.logs.some(({ topics }) => topics[1] === job.id),
      );
      assert.equal(moved.length, 5, "post, accept, submit, claim, settle");
      const spent = job.terms.price + gasPaid(transactions, requester.account);
      assert.equal(await chain.getBalance(requester.account), balance - spent);
    },
  );
}

for (const [bad, check] of [
  ["wrong", "evaluate"],
  ["corrupt", "open"],
] as const) {
  it(
    `a ${bad} provider's claim is challenged (${check}) and rejected by drawn validators`,
    needs("root", "docker"),
    async (t) => {
      using folder = temporaryFolder();
      const policy = folder.join("policy.yaml");
      // An appeal would find no other validator in the pool, and the provider would keep its stake.
      await writeFile(policy, "appeal: never\n");
      const market = await startTestMarket(t, { bad: [bad], policy, transport: "direct", validators: 1 });
      await audits(market, check);
      const { providers, evm } = market;
      const stake = await market.stake(providers[0]!.account);
      const out = join(market.dir, "out");
      const ending = ended(market.launch(["submit", await optimistic(market), "--wait", "--out", out]));
      await market.state("Validating");
      const rejected = await market.state("Rejected");
      assert.ok(rejected.challenged);
      assert.equal(rejected.verdict, "fail");
      await evm.increaseTime(rejected.terms.windows.appeal + 1);
      const { code, stdout } = await ending;
      assert.equal(code, 8, stdout);
      assert.equal((lastJson(stdout).error as { code: string }).code, "JOB_FAILED");
      await assert.rejects(access(out));
      const { terms } = await market.state("Refunded");
      assert.equal(await market.owed(providers[0]!.account), 0n);
      assert.equal(await market.stake(providers[0]!.account), stake - terms.providerStake);
    },
  );
}

it(
  "a requester that was away settles within the window when it comes back, and opens the result",
  needs("root", "docker"),
  async (t) => {
    const market = await startTestMarket(t, { transport: "direct" });
    const submit = market.launch(["submit", await optimistic(market), "--wait"]);
    const ending = ended(submit);
    await market.state("Accepted");
    submit.kill("SIGKILL");
    await ending;
    const claimed = await market.state("Claimed");
    assert.ok(claimed.deadline! > (await market.chain.getBlock("latest"))!.timestamp);
    const { jobs } = (await market.ichain(["resume", claimed.id])) as { jobs: { state: string }[] };
    assert.deepEqual(
      jobs.map(({ state }) => state),
      ["Settled"],
    );
    const out = join(market.dir, "later");
    await market.ichain(["get", claimed.id, "-o", out]);
    assert.ok((await readFile(join(out, "model.safetensors"))).length > 1000);
  },
);
