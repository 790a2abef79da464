import assert from "node:assert/strict";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import type { Home } from "../../src/devnet/homes.ts";
import { challengeBondOf } from "../../src/protocol/job/bond.ts";
import { temporaryFolder } from "../support/binary.ts";
import { withValidators } from "../support/chain/draws.ts";
import { digits, gasPaid, lastJson, startTestMarket, type TestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

const COIN = 10n ** 18n;
const DAY = 86_400;

async function optimistic({ dir }: TestMarket): Promise<string> {
  const file = join(dir, "optimistic.yaml");
  await cp(digits.replace("job.yaml", "task.py"), join(dir, "task.py"));
  await writeFile(file, withValidators(await readFile(digits, "utf8"), 0));
  return file;
}

async function refused(market: TestMarket, args: readonly string[], as: Home, code: string): Promise<void> {
  const { stdout } = await market.attempt(args, as);
  assert.equal((lastJson(stdout).error as { code: string }).code, code, stdout);
}

it("stake goes in, stays locked for the cooldown, and comes out", needs("root", "docker"), async (t) => {
  const market = await startTestMarket(t, { transport: "direct" });
  const [provider] = market.providers;
  await refused(market, ["stake", "status"], market.requester, "NO_OFFER");
  const status = await market.ichain(["stake", "status"], provider);
  assert.deepEqual([status.stake, status.locked, status.leaving], [String(COIN), "0", undefined]);
  const more = await market.ichain(["stake", "deposit", "0.5"], provider);
  assert.equal(more.stake, String((COIN * 3n) / 2n));
  await refused(market, ["stake", "withdraw", "9"], provider!, "REGISTRY_INSUFFICIENT_STAKE");
  const less = await market.ichain(["stake", "withdraw", "0.7"], provider);
  assert.equal(less.stake, String((COIN * 8n) / 10n));
  const { amount, availableAt } = less.leaving as { amount: string; availableAt: number };
  assert.equal(amount, String((COIN * 7n) / 10n));
  assert.ok(availableAt > Date.now() / 1000);
  await refused(market, ["stake", "collect"], provider!, "REGISTRY_COOLING_DOWN");
  await market.evm.increaseTime(30 * DAY);
  const [before, block] = [
    await market.chain.getBalance(provider!.account),
    await market.chain.getBlockNumber(),
  ];
  const paid = await market.ichain(["stake", "collect"], provider);
  assert.equal(paid.leaving, undefined);
  const gas = gasPaid(await market.transactions(block + 1), provider!.account);
  assert.equal(await market.chain.getBalance(provider!.account), before + (COIN * 7n) / 10n - gas);
  await refused(market, ["stake", "collect"], provider!, "REGISTRY_NOTHING_LEAVING");
});

it(
  "a claim is challenged by hand: a panel that confirms it costs the bond",
  needs("root", "docker", "long"),
  async (t) => {
    const market = await startTestMarket(t, { transport: "direct" });
    const { requester, chain } = market;
    const before = await chain.getBalance(requester.account);
    const block = await chain.getBlockNumber();
    const { jobId } = await market.ichain(["submit", await optimistic(market)]);
    const claimed = await market.state("Claimed");
    assert.equal(claimed.id, jobId);
    await refused(market, ["challenge", claimed.id], market.providers[0]!, "JOB_NOT_OURS");
    const told = await market.ichain(["challenge", claimed.id]);
    assert.deepEqual([told.jobId, told.bond], [jobId, String(challengeBondOf(claimed.terms))]);
    const settled = await market.state("Settled");
    assert.deepEqual([settled.verdict, settled.validations.length], ["pass", 1]);
    // Said again, it is the same challenge and not another one.
    const sent = await chain.getTransactionCount(requester.account);
    assert.equal((await market.ichain(["challenge", claimed.id])).state, "Settled");
    assert.equal(await chain.getTransactionCount(requester.account), sent);
    await market.ichain(["resume", claimed.id]);
    // Two of the panel's three seats found nobody: their fees came back. The rest of the bond was lost.
    const gas = gasPaid(await market.transactions(block + 1), requester.account);
    const { price, validatorFee } = claimed.terms;
    assert.equal(await chain.getBalance(requester.account), before - gas - price - price / 2n - validatorFee);
  },
);

it(
  "a rejection is appealed by hand, once, and stands when the panel agrees with it",
  needs("root", "docker"),
  async (t) => {
    using folder = temporaryFolder();
    const policy = folder.join("policy.yaml");
    await writeFile(policy, "appeal: never\n");
    const market = await startTestMarket(t, { bad: ["wrong"], policy, transport: "direct", validators: 2 });
    const [provider] = market.providers;
    const { jobId } = await market.ichain(["submit", digits]);
    const resumed = market.ichain(["resume", String(jobId)]);
    await market.state("Rejected");
    await refused(market, ["appeal", String(jobId)], market.requester, "ESCROW_NOT_PARTY");
    const { bond } = await market.ichain(["appeal", String(jobId)], provider);
    assert.ok(BigInt(bond as string) > 0n);
    const { jobs } = (await resumed) as { jobs: { state: string; verdict: string }[] };
    assert.deepEqual(
      jobs.map(({ state, verdict }) => [state, verdict]),
      [["Refunded", "fail"]],
    );
    const job = await market.state("Refunded");
    assert.ok(job.appealed);
    assert.deepEqual(new Set(job.validations.map(({ validator }) => validator)).size, 2);
  },
);

it(
  "a rejection is appealed by the daemon, once, where its policy says so",
  needs("root", "docker"),
  async (t) => {
    using folder = temporaryFolder();
    const policy = folder.join("policy.yaml");
    await writeFile(policy, "appeal: always\n");
    const market = await startTestMarket(t, { bad: ["wrong"], policy, transport: "direct", validators: 2 });
    const { jobId } = await market.ichain(["submit", digits]);
    const resumed = market.ichain(["resume", String(jobId)]);
    // The requester reveals its seed, then the provider draws.
    const { jobs } = (await resumed) as { jobs: { state: string; verdict: string }[] };
    assert.deepEqual(
      jobs.map(({ state, verdict }) => [state, verdict]),
      [["Refunded", "fail"]],
    );
  },
);

it("a job is quoted before it is posted, and a policy is tried on it", needs("root", "docker"), async (t) => {
  const market = await startTestMarket(t, { transport: "direct" });
  const block = await market.chain.getBlockNumber();
  const quote = await market.ichain(["quote", digits]);
  const [price, fee, locked] = [quote.price, quote.validatorFee, quote.locked].map((text) =>
    BigInt(text as string),
  );
  assert.equal(quote.provider, market.providers[0]!.account);
  assert.deepEqual(quote.validators, [market.validators[0]!.account]);
  assert.equal(locked, price! + fee!);
  assert.equal(quote.worstLoss, String(locked));
  const branches = quote.branches as { outcome: string; loss: string }[];
  assert.equal(branches.find(({ outcome }) => outcome === "late")?.loss, String(-price! / 10n));
  assert.equal(await market.chain.getBlockNumber(), block);

  const policy = join(market.dir, "policy.yaml");
  const verdict = async () => (await market.ichain(["policy", "test", policy, digits])).verdicts as object[];
  await writeFile(policy, "maxTime: 1h\n");
  assert.deepEqual(await verdict(), [
    { role: "provider", takes: true },
    { role: "validator", takes: true },
  ]);
  await writeFile(policy, "maxTime: 5m\n");
  assert.deepEqual(
    (await verdict()).map((one) => (one as { code?: string }).code),
    ["TIME_TOO_LONG", "TIME_TOO_LONG"],
  );
  await writeFile(policy, `requesters: { deny: ["${market.requester.account}"] }\n`);
  const asked = ["policy", "test", policy, digits, "--requester", market.requester.account];
  const { verdicts } = (await market.ichain(asked)) as { verdicts: { code: string }[] };
  assert.deepEqual(
    verdicts.map(({ code }) => code),
    ["REQUESTER_DENIED", "REQUESTER_DENIED"],
  );
});

it("one name stands for a job in all JSON", needs("root", "docker"), async (t) => {
  const market = await startTestMarket(t, { transport: "direct" });
  const { jobId } = await market.ichain(["submit", digits]);
  for (const verb of ["job", "why"])
    assert.equal((await market.ichain([verb, String(jobId)])).jobId, jobId, verb);
  const { jobs } = (await market.ichain(["jobs", "--all"])) as { jobs: { jobId: string }[] };
  assert.deepEqual(
    jobs.map((job) => job.jobId),
    [jobId],
  );
});
