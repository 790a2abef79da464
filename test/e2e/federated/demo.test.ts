import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ichainRun } from "../../support/binary.ts";
import { lastJson } from "../../support/market/market.ts";
import { needs } from "../../support/require.ts";

interface Shown {
  readonly rounds: number;
  readonly accuracy: number;
  readonly providers: readonly { plays: string; pay: string }[];
}

test("a federated job goes over Tor, and pays the honest", needs("docker", "root", "tor"), async (t) => {
  const out = await mkdtemp(join(tmpdir(), "ichain-demo-"));
  t.after(() => rm(out, { recursive: true, force: true }));
  const args = ["demo", "--federated", "--bad", "label", "--out", join(out, "model"), "--json"];
  const { code, stdout, stderr } = await ichainRun(args, { CI: "1", ICHAIN_HOME: join(out, "home") });
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  const { rounds, accuracy, providers } = lastJson(stdout) as unknown as Shown;
  assert.equal(rounds, 5);
  assert.ok(accuracy > 0.8, `accuracy ${accuracy}`);
  const paid = (plays: string) =>
    providers.filter((one) => one.plays === plays).map(({ pay }) => BigInt(pay));
  assert.ok(paid("honest").length === 3 && paid("honest").every((pay) => pay > 10n ** 15n));
  assert.ok(paid("label")[0]! < 10n ** 15n, `${paid("label")}`);
});
