import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { digits, lastJson, startTestMarket } from "../../support/market/market.ts";
import { needs } from "../../support/require.ts";

/** Always good enough, and never the same. */
const TASK = `import random, sys
if sys.argv[1] == "0":
    open("/out/model.safetensors", "w").write("x")
print("acc:", 0.96 + random.random() / 30)
`;

it(
  "a requester whose metric is chance gets its job back, and no stake",
  needs("root", "docker"),
  async (t) => {
    const market = await startTestMarket(t, { transport: "direct" });
    const { account } = market.providers[0]!;
    const stake = await market.stake(account);
    const folder = join(market.dir, "chance");
    await mkdir(folder);
    await writeFile(join(folder, "task.py"), TASK);
    const text = await readFile(digits, "utf8");
    await writeFile(join(folder, "job.yaml"), text.replace("tolerance: 0.001", "tolerance: 0"));
    const flags = ["--provider", "best", "--validator", "best", "--wait", "--out", join(market.dir, "out")];
    const { code, stdout } = await market.attempt(["submit", join(folder, "job.yaml"), ...flags]);
    const { error } = lastJson(stdout) as { error: { code: string } };
    assert.deepEqual([code, error.code], [8, "JOB_FAILED"], stdout);
    const job = await market.state("Refunded");
    assert.deepEqual([job.cause, job.submission], ["released", undefined]);
    assert.equal(await market.stake(account), stake);
  },
);
