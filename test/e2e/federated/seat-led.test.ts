import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { createMarket } from "../../../src/chain/market.ts";
import type { Market } from "../../../src/ports/market.ts";
import { readLedger } from "../../../src/protocol/federated/ledger/ledger.ts";
import { memberOf } from "../../../src/protocol/federated/market/fold.ts";
import { type Address, type JobId, sameAddress } from "../../../src/protocol/ids.ts";
import { startTestMarket } from "../../support/market/market.ts";
import { seatLedExample } from "../../support/market/seat-led-example.ts";
import { needs } from "../../support/require.ts";

interface Line {
  readonly event?: string;
  readonly jobId: string;
  readonly tip: string;
  readonly measured: { readonly acc: number };
  readonly providers: readonly {
    account: string;
    weight: number;
    audit?: string;
    pay: { amount: string };
  }[];
}

test(
  "two validators commit and close, strike a provider that turns its update, and a panel confirms a closing",
  needs("docker", "root"),
  async (t) => {
    const bad = ["sign"] as const;
    const market = await startTestMarket(t, { providers: 4, validators: 4, transport: "direct", bad });
    const update = "{ topk: 0.1 }";
    const job = await seatLedExample(t, { validators: 2, rounds: 3, audit: 1, update });
    const out = join(dirname(job), "model");
    const { code, stdout, stderr } = await market.attempt(["submit", job, "--yes", "-o", out]);
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    const end = lines.at(-1)!;
    assert.ok(end.measured.acc > 0.7, stdout);
    const rounds = lines.filter(({ event }) => event === "round");
    assert.equal(rounds.length, 3, stdout);
    const cheat = market.providers[0]!.account.toLowerCase();
    for (const { providers } of rounds)
      assert.equal(providers.find(({ account }) => account === cheat)?.pay.amount, "0", stdout);
    const verified = await market.ichain(["verify", join(out, "job.ledger"), "--tip", end.tip]);
    assert.equal(verified.rounds, 3);
    // Replays of top-k updates need what their providers left unsaid, from round 2 on of the round before too.
    const ledger = readLedger((await readFile(join(out, "job.ledger"), "utf8")).trim().split("\n"));
    for (const [i, { members }] of ledger.rounds.entries()) {
      const audits = members.map(({ audit }) => audit).filter((audit) => audit !== "none");
      const found = members.find(({ provider }) => provider === cheat)?.audit;
      assert.equal(found, i === 0 ? "proven" : "none", stdout);
      assert.deepEqual(new Set(audits), new Set(i === 0 ? ["proven", ...audits] : ["clean"]), stdout);
      assert.ok(!audits.includes("withheld"), stdout);
    }

    const reader = readerOf(t, market);
    const id = end.jobId as JobId;
    await market.ichain(["challenge", id]);
    for await (const { state, judged } of reader.followFederated(id)) {
      // The cheat was struck by both in round 1, and appeals.
      const found = judged.find(({ about }) => about === undefined);
      if (found === undefined) continue;
      assert.deepEqual([found.round, found.decided, found.stands], [3, true, true]);
      if (state === "Ended") break;
    }
  },
);

test(
  "a proven cheat ends a job that refunds: it is banned, and the others share its deposit",
  needs("docker", "root"),
  async (t) => {
    const bad = ["sign"] as const;
    const job = await seatLedExample(t, {
      validators: 2,
      providers: 3,
      rounds: 2,
      audit: 1,
      onCheat: "refund",
    });
    // Its own training turns the update again, so that it would appeal.
    const policy = join(dirname(job), "policy.yaml");
    await writeFile(policy, "appeal: never\n");
    const parties = { providers: 3, validators: 2, transport: "direct", bad, policy } as const;
    const market = await startTestMarket(t, parties);
    const [cheat, ...honest] = market.providers.map(({ account }) => account as Address);
    const stakes = await Promise.all([cheat!, ...honest].map((one) => market.stake(one)));
    const { code, stdout, stderr } = await market.attempt(["submit", job, "--yes"]);
    assert.ok(code !== 0 && /JOB_NOT_SETTLED/.test(`${stdout}${stderr}`), `${stdout}\n${stderr}`);

    const reader = readerOf(t, market);
    const [ended] = await reader.federatedJobs({}, { signal: t.signal });
    assert.deepEqual([ended!.cause, ended!.closings.length], ["cheated", 0]);
    const { strike, standing } = memberOf(ended!, cheat!)!;
    assert.deepEqual([standing, strike?.found.round], ["struck", 1]);
    assert.ok(ended!.members.every((one) => one.strike === undefined || sameAddress(one.account, cheat!)));
    await market.evm.increaseTime(ended!.terms.disputeWindow + 1);
    for await (const { members } of reader.followFederated(ended!.id))
      if (members.every((one) => one.standing === "released")) break;
    const { providerStake } = ended!.terms;
    assert.deepEqual(
      await Promise.all([cheat!, ...honest].map((one) => market.stake(one))),
      stakes.map((stake, i) => (i === 0 ? stake - providerStake : stake)),
    );
    assert.ok((await reader.offer(cheat!))?.banned);
  },
);

function readerOf(t: TestContext, { network }: Awaited<ReturnType<typeof startTestMarket>>): Market {
  const { rpcUrl, chainId, contracts } = network;
  const reader = createMarket({ rpcUrl, chainId, addresses: contracts, database: ":memory:", pollMs: 100 });
  t.after(() => reader.stop());
  return reader;
}
