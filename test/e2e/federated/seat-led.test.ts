import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startTestMarket } from "../../support/market/market.ts";
import { needs } from "../../support/require.ts";

const example = fileURLToPath(new URL("../../../examples/federated-digits/", import.meta.url));

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

/** The example's folder, led by validators. */
async function seatLed(
  t: TestContext,
  { count, rounds }: { count: number; rounds: number },
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ichain-seats-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await cp(example, folder, { recursive: true });
  const path = join(folder, "job.yaml");
  const text = await readFile(path, "utf8");
  const validators = `  validators: { count: ${count}, fee: 0.001, deposit: 0.001 }\n  audit: 1\n`;
  await writeFile(path, text.replace("rounds: 5", `rounds: ${rounds}`) + validators);
  return folder;
}

for (const count of [1, 3])
  test(
    `${count} validators aggregate, close and are paid; one provider that turns its update is not`,
    needs("docker", "root"),
    async (t) => {
      const bad = ["sign"] as const;
      const market = await startTestMarket(t, { providers: 4, validators: count, transport: "direct", bad });
      const folder = await seatLed(t, { count, rounds: 3 });
      const { code, stdout, stderr } = await market.attempt([
        "submit",
        join(folder, "job.yaml"),
        "--yes",
        "-o",
        join(folder, "model"),
      ]);
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
      const verified = await market.ichain(["verify", join(folder, "model", "job.ledger"), "--tip", end.tip]);
      assert.equal(verified.rounds, 3);
    },
  );
