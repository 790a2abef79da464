import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { digits, lastJson, startTestMarket, type TestMarket } from "../support/market.ts";
import { requireDocker, requireRoot } from "../support/require.ts";

/** A job whose task writes a file and prints `line`; the threshold is that of the digits job. */
async function printing({ dir }: TestMarket, name: string, line: string): Promise<string> {
  const folder = join(dir, name);
  await mkdir(folder);
  await writeFile(
    join(folder, "task.py"),
    `import sys\nif sys.argv[1] == "0": open("/out/model.pkl", "w").write("x")\nprint("${line}")\n`,
  );
  const file = join(folder, "job.yaml");
  await writeFile(file, await readFile(digits, "utf8"));
  return file;
}

it("a result that fails by its own measure is given back, and costs the provider nothing", async (t) => {
  if (!requireRoot(t) || !requireDocker(t)) return;
  const market = await startTestMarket(t, { transport: "direct" });
  const [provider] = market.providers;
  const stake = await market.stake(provider!.account);
  for (const [name, line, reason] of [
    ["poor", "acc: 0.5", /0\.5.*threshold/],
    ["endless", "acc: 1e300", /range/],
  ] as const) {
    const file = await printing(market, name, line);
    const { code, stdout } = await market.attempt([
      "submit",
      file,
      "--wait",
      "--out",
      join(market.dir, "out"),
    ]);
    const { error } = lastJson(stdout) as {
      error: { code: string; details: { jobId: string; reason: string } };
    };
    assert.deepEqual([code, error.code], [8, "JOB_FAILED"], stdout);
    assert.match(error.details.reason, reason);
    const { state, verdict } = await market.ichain(["job", error.details.jobId]);
    assert.deepEqual([state, verdict], ["Refunded", "none"]);
  }
  assert.equal(await market.stake(provider!.account), stake);
  const { providers } = (await market.ichain(["providers"])) as {
    providers: { ratingAsProvider: { outcomes: { released: number; late: number; rejected: number } } }[];
  };
  const { released, late, rejected } = providers[0]!.ratingAsProvider.outcomes;
  assert.deepEqual({ released, late, rejected }, { released: 2, late: 0, rejected: 0 });
});
