import assert from "node:assert/strict";
import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { it } from "node:test";
import { stringify } from "yaml";
import { tinyImage } from "../adversarial/task/tiny-image.ts";
import { lifo } from "../support/lifo.ts";
import { lastJson, startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";
import { startRegistry } from "../support/sandbox/registry.ts";

const task = `if [ "$1" = 0 ]; then echo hello > /out/model; fi
cat /out/model
echo "acc: 0.97"
`;

it(
  "an image of a registry is for those whose policy names it, and each of them pulls it",
  needs("root", "docker", "docker-registry", "alone"),
  async (t) => {
    const later = lifo(t); // the workers end while the chain is there for their last calls
    const registry = await startRegistry(later);
    const tiny = await tinyImage(t, {});
    const market = await startTestMarket(later, { transport: "direct" });
    const tag = tiny.tags[0]!;
    const pushed = await market.ichain(["image", "push", tag, `${registry.host}/someone/tiny:1`]);
    const named = await market.ichain(["image", "digest", `${registry.host}/someone/tiny:1`]);
    assert.deepEqual(named, pushed);
    const oci = String(named.oci);
    execFileSync("docker", ["rmi", "-f", tag, `${registry.host}/someone/tiny:1`], { stdio: "ignore" });
    later.after(() => forget(oci));

    const folder = join(market.dir, "pulled");
    await mkdir(folder);
    await writeFile(join(folder, "task.sh"), task);
    const job = {
      ...{ version: 1, name: "pulled", image: { oci }, command: ["/usr/bin/dash", "task.sh"] },
      ...{ inputs: ["task.sh"], outputs: ["model"], resources: { memory: "64 MiB", disk: "1 MiB" } },
      verification: { metric: "acc", threshold: 0.5 },
    };
    await writeFile(join(folder, "job.yaml"), stringify(job));
    const best = ["--provider", "best", "--validator", "best", "--wait"];
    const submit = ["submit", join(folder, "job.yaml"), ...best, "--out"];
    const refused = await market.attempt([...submit, join(market.dir, "none")]);
    const { code, hint } = lastJson(refused.stdout).error as { code: string; hint: string };
    assert.equal(code, "NO_PROVIDER");
    assert.match(hint, /pulls no image 127\.0\.0\.1:\d+\/someone\/tiny/);

    const policy = join(market.dir, "policy.yaml");
    await writeFile(policy, stringify({ pulledImages: { from: [`${registry.host}/someone/*`] } }));
    for (const [verb, name, home] of [
      ["provide", "provider-1", market.providers[0]!],
      ["validate", "validator-1", market.validators[0]!],
    ] as const) {
      await market.killActor(name);
      const worker = market.launch([verb, "--policy", policy], home);
      later.after(async () => {
        if (worker.exitCode === null && worker.kill("SIGTERM")) await once(worker, "exit");
      });
      await ready(worker);
    }
    const done = await market.ichain([...submit, join(market.dir, "out")]);
    assert.deepEqual([done.state, done.verdict, done.files], ["Settled", "pass", ["model"]]);
  },
);

async function ready(worker: ChildProcess): Promise<void> {
  for await (const line of createInterface({ input: worker.stdout! })) if (line.includes('"ready"')) return;
  assert.fail("it ended before it was ready");
}

/** What the two pulled; their budget would take it with a later job. */
function forget(oci: string): void {
  const repository = `ichain-pulled/${oci.slice(oci.indexOf("@sha256:") + "@sha256:".length)}`;
  execFileSync("docker", ["rmi", "-f", repository], { stdio: "ignore" });
}
