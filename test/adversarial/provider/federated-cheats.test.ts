import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startTestMarket } from "../../support/market/market.ts";
import { needs } from "../../support/require.ts";

const example = fileURLToPath(new URL("../../../examples/federated-digits/job.yaml", import.meta.url));

interface Line {
  readonly event?: string;
  readonly measured?: { readonly acc: number };
  readonly providers: readonly { account: string; sent: boolean; weight: number; pay: { amount: string } }[];
}

test(
  "who sends noise, or turns its update round, is left out and unpaid",
  needs("docker", "root"),
  async (t) => {
    const bad = ["garbage", "sign"] as const;
    const market = await startTestMarket(t, { providers: 4, validators: 0, transport: "direct", bad });
    const out = await mkdtemp(join(tmpdir(), "ichain-cheats-"));
    t.after(() => rm(out, { recursive: true, force: true }));
    const { code, stdout, stderr } = await market.attempt([
      "submit",
      example,
      "--yes",
      "-o",
      join(out, "model"),
    ]);
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    // Of the rows that the two cheats were dealt nothing is learnt.
    assert.ok(lines.at(-1)!.measured!.acc > 0.7, stdout);
    const [garbage, sign, ...honest] = market.providers.map(({ account }) => account.toLowerCase());
    const rounds = lines.filter(({ event }) => event === "round");
    assert.equal(rounds.length, 5);
    const rowOf = ({ providers }: Line, account: string) => providers.find((one) => one.account === account)!;
    for (const round of rounds) {
      assert.equal(rowOf(round, garbage!).sent, false, stdout);
      for (const cheat of [garbage!, sign!]) assert.equal(rowOf(round, cheat).pay.amount, "0", stdout);
    }
    // The gate may leave an honest update out now and then: three of the gains of a round make its line.
    for (const one of honest) {
      const paid = rounds.filter((round) => rowOf(round, one).weight > 0);
      assert.ok(paid.length >= 3, stdout);
      for (const round of paid) assert.ok(BigInt(rowOf(round, one).pay.amount) > 0n, stdout);
    }
  },
);
