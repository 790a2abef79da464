import assert from "node:assert/strict";
import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { it } from "node:test";
import { stringify } from "yaml";
import { lifo } from "../support/lifo.ts";
import { lastJson, startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

const task = `
import sys
if sys.argv[1] == "0":
    open("/out/model", "w").write(open("/srv/words").read())
print("acc: 1.0" if open("/srv/words").read() == "hello" else "acc: 0.0")
`;
const job = {
  version: 1,
  name: "own-image",
  image: { dockerfile: "Dockerfile" },
  command: ["python3", "task.py"],
  inputs: ["task.py", "Dockerfile", "words"],
  outputs: ["model"],
  resources: { memory: "512 MiB", disk: "1 MiB" },
  verification: { metric: "acc", threshold: 0.5 },
};

it(
  "a job with a Dockerfile is for those whose policy takes it, and is then built by each of them",
  needs("root", "docker", "alone"),
  async (t) => {
    const later = lifo(t); // the workers end while the chain is there for their last calls
    const market = await startTestMarket(later, { transport: "direct" });
    const folder = join(market.dir, "own-image");
    await mkdir(folder);
    await writeFile(join(folder, "task.py"), task);
    await writeFile(join(folder, "words"), "hello");
    await writeFile(join(folder, "Dockerfile"), "FROM python-ml\nCOPY words /srv/words\n");
    await writeFile(join(folder, "job.yaml"), stringify(job));
    const submit = [
      "submit",
      join(folder, "job.yaml"),
      "--provider",
      "best",
      "--validator",
      "best",
      "--wait",
    ];
    const refused = await market.attempt([...submit, "--out", join(market.dir, "none")]);
    assert.equal((lastJson(refused.stdout).error as { code: string }).code, "NO_PROVIDER");

    const policy = join(market.dir, "policy.yaml");
    await writeFile(policy, stringify({ bundledImages: { dockerfile: true }, imageDisk: "0 B" }));
    for (const [verb, name, home] of [
      ["provide", "provider-1", market.providers[0]!],
      ["validate", "validator-1", market.validators[0]!],
    ] as const) {
      await market.killActor(name);
      const worker = market.launch([verb, "--policy", policy], home);
      later.after(async () => {
        if (worker.exitCode === null && worker.kill("SIGTERM")) await once(worker, "exit");
        sweepImages();
      });
      await ready(worker);
    }
    const done = await market.ichain([...submit, "--out", join(market.dir, "out")]);
    assert.deepEqual([done.state, done.verdict, done.files], ["Settled", "pass", ["model"]]);
  },
);

async function ready(worker: ChildProcess): Promise<void> {
  for await (const line of createInterface({ input: worker.stdout! })) if (line.includes('"ready"')) return;
  assert.fail("it ended before it was ready");
}

/** What the two built; their budget would take it with the next job. */
function sweepImages(): void {
  const made = ["images", "--filter", "label=ichain.origin", "--filter", "reference=ichain-bundle/*", "-q"];
  const ids = execFileSync("docker", made, { encoding: "utf8" }).split("\n").filter(Boolean);
  if (ids.length > 0) execFileSync("docker", ["rmi", "-f", ...ids], { stdio: "ignore" });
}
