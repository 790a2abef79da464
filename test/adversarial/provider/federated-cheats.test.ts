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
    assert.ok(lines.at(-1)!.measured!.acc > 0.85, `accuracy ${lines.at(-1)!.measured!.acc}`);
    const [garbage, sign, ...honest] = market.providers.map(({ account }) => account.toLowerCase());
    const rounds = lines.filter(({ event }) => event === "round");
    assert.equal(rounds.length, 5);
    for (const { providers } of rounds) {
      const of = new Map(providers.map((one) => [one.account, one]));
      assert.equal(of.get(garbage!)?.sent, false);
      for (const cheat of [garbage, sign]) assert.equal(of.get(cheat!)?.pay.amount, "0");
      for (const one of honest) assert.ok(of.get(one)!.weight > 0 && BigInt(of.get(one)!.pay.amount) > 0n);
    }
  },
);
