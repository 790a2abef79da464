import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { createMarket } from "../../../src/chain/market.ts";
import type { JobId } from "../../../src/protocol/ids.ts";
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
    const job = await seatLedExample(t, { validators: 2, rounds: 3, audit: 1 });
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

    const reader = createMarket({
      ...{ rpcUrl: market.network.rpcUrl, chainId: market.network.chainId },
      ...{ addresses: market.network.contracts, database: ":memory:", pollMs: 100 },
    });
    t.after(() => reader.stop());
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
