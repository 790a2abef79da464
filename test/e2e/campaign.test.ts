import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { ichainRun, temporaryFolder } from "../support/binary.ts";
import { lastJson } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

interface Shown {
  readonly versions: readonly { version: number; rows: number; score: number; checked: string[] }[];
  readonly contributors: readonly { plays: string; paid: string; credited: string }[];
}

test(
  "a campaign leads to a second version over Tor, and pays for the rows that were right",
  needs("docker", "root", "tor"),
  async () => {
    using folder = temporaryFolder();
    const model = folder.join("model");
    const env = { CI: "1", ICHAIN_HOME: folder.join("home") };
    const { code, stdout, stderr } = await ichainRun(["demo", "--campaign", "--out", model, "--json"], env);
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    const { versions, contributors } = lastJson(stdout) as unknown as Shown;
    assert.deepEqual(
      versions.map(({ version, rows }) => [version, rows]),
      [
        [1, 100],
        [2, 120],
      ],
    );
    assert.ok(versions.every(({ score }) => score >= 0.8));
    for (const { checked } of versions)
      assert.deepEqual(checked, ["job right", "score right", "model right", "rows right"]);
    const gain = (one: string) =>
      contributors
        .filter(({ plays }) => plays === one)
        .map(({ paid, credited }) => BigInt(credited) - BigInt(paid))[0]!;
    // A hundred prices, and four times a deposit and a reward; sixteen prices less four deposits.
    assert.ok(gain("careful") > 14n * 10n ** 17n, `${gain("careful")}`);
    assert.ok(gain("careless") < 0n, `${gain("careless")}`);
    assert.ok(existsSync(`${model}/model.pkl`));
  },
);
