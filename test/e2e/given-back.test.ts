import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { digits, lastJson, startTestMarket, type TestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

/** A job whose task writes `file` and prints `line`; the spec names model.safetensors, with the digits' threshold. */
async function printing({ dir }: TestMarket, name: string, line: string, file: string): Promise<string> {
  const folder = join(dir, name);
  await mkdir(folder);
  await writeFile(
    join(folder, "task.py"),
    `import sys\nif sys.argv[1] == "0": open("/out/${file}", "w").write("x")\nprint("${line}")\n`,
  );
  const job = join(folder, "job.yaml");
  await writeFile(job, await readFile(digits, "utf8"));
  return job;
}

it(
  "a result that is not what the job asks for is given back, and costs the provider nothing",
  needs("root", "docker"),
  async (t) => {
    const market = await startTestMarket(t, { transport: "direct" });
    const [provider] = market.providers;
    const stake = await market.stake(provider!.account);
    for (const [name, line, file, reason] of [
      ["poor", "acc: 0.5", "model.safetensors", /0\.5.*threshold/],
      ["endless", "acc: 1e300", "model.safetensors", /range/],
      ["elsewhere", "acc: 0.99", "other.pkl", /all the outputs/],
    ] as const) {
      const job = await printing(market, name, line, file);
      const { code, stdout } = await market.attempt([
        "submit",
        job,
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
    assert.deepEqual({ released, late, rejected }, { released: 3, late: 0, rejected: 0 });
  },
);
