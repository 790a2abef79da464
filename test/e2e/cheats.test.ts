import assert from "node:assert/strict";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { appealBondOf, compensationOf } from "../../src/protocol/job/bond.ts";
import type { Job } from "../../src/protocol/job/job.ts";
import { digits, ended, gasPaid, lastJson, startTestMarket } from "../support/market/market.ts";
import { requireDocker, requireRoot } from "../support/require.ts";

const SUBMIT = ["submit", digits, "--provider", "best", "--validator", "best", "--wait"] as const;

for (const bad of ["wrong", "lazy", "corrupt"] as const) {
  it(`a ${bad} provider gets verdict fail and no pay, and the requester its money back`, async (t) => {
    if (!requireRoot(t) || !requireDocker(t)) return;
    const market = await startTestMarket(t, { bad: [bad], transport: "direct", validators: 2 });
    const { chain, requester, providers, network } = market;
    const out = join(market.dir, "out");
    const before = await chain.getBalance(requester.account);
    const stake = await market.stake(providers[0]!.account);
    const start = await chain.getBlockNumber();

    const submit = market.launch([...SUBMIT, "--out", out]);
    const ending = ended(submit);
    // It appeals, as its policy has it, to a drawn panel that finds the same.
    const { code, stdout } = await ending;

    assert.equal(code, 8);
    assert.equal((lastJson(stdout).error as { code: string }).code, "JOB_FAILED");
    await assert.rejects(access(out));
    const job = await market.state("Refunded");
    assert.deepEqual([job.verdict, job.appealed, job.cause], ["fail", true, "rejected"]);
    const owed = await market.owed(providers[0]!.account);
    // No pay: what is left of its appeal's bond, and that only until it has fetched it.
    assert.ok(owed <= appealBondOf(job.terms) - job.terms.validatorFee, String(owed));
    const paid = gasPaid(await market.transactions(start + 1), requester.account);
    const balance = await chain.getBalance(requester.account);
    // The price came back; what the validator earned was spent. Of the stake nothing came: its requester had named
    // the validator that found the result wrong.
    const { price, providerStake, validatorFee } = job.terms;
    assert.ok(price > 0n && providerStake > 0n);
    assert.equal(balance + paid, before - validatorFee);
    assert.equal(await market.stake(providers[0]!.account), stake - providerStake);
    assert.equal(await chain.getBalance(network.contracts.escrow), await market.owedToAll());
  });
}

it("a provider that vanishes after accepting loses its stake, a tenth of it to the requester", async (t) => {
  if (!requireRoot(t) || !requireDocker(t)) return;
  const market = await startTestMarket(t, { bad: ["vanish"], transport: "direct" });
  const { chain, requester, providers, evm } = market;
  const before = await chain.getBalance(requester.account);
  const stakeBefore = await market.stake(providers[0]!.account);
  const start = await chain.getBlockNumber();
  const ending = ended(market.launch([...SUBMIT, "--out", join(market.dir, "out")]));
  const accepted = await market.state("Accepted");
  await evm.increaseTime(accepted.terms.windows.run + 1);
  const { code } = await ending;
  assert.equal(code, 8);
  const job: Job = await market.state("Refunded");
  const paid = gasPaid(await market.transactions(start + 1), requester.account);
  assert.equal(await chain.getBalance(requester.account), before - paid + compensationOf(job.terms));
  assert.equal(await market.stake(providers[0]!.account), stakeBefore - job.terms.providerStake);
  assert.ok(job.terms.providerStake > 0n);
});
