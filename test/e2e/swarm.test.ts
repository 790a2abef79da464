import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { it } from "node:test";
import { stringify } from "yaml";
import { lifo } from "../support/lifo.ts";
import { lastJson, startTestMarket } from "../support/market/market.ts";
import { requireDocker, requireRoot } from "../support/require.ts";
import { startSwarm } from "../support/sandbox/swarm.ts";
import { tinyRoot } from "../support/sandbox/tiny-root.ts";

const TASK = `if [ "$1" = 0 ]; then echo trained > /out/model; sleep 2; fi
while read -r line; do [ "$line" = trained ] && echo "acc: 0.97"; done < /out/model
`;

it("`ichain provide --engine swarm` earns its pay with a job that its swarm ran", {
  timeout: 180_000,
}, async (t) => {
  if (!requireRoot(t) || !requireDocker(t)) return;
  const later = lifo(t);
  const swarm = await startSwarm(later);
  // The validator measures on the machine's own engine, with the same image.
  const tag = `ichain-test/swarm-${process.pid}`;
  execFileSync("docker", ["import", "-", tag], { input: tinyRoot(), timeout: 60_000 });
  later.after(() => void execFileSync("docker", ["rmi", "-f", tag], { stdio: "ignore" }));
  const digest = execFileSync("docker", ["image", "inspect", tag, "--format={{index .RootFS.Layers 0}}"], {
    encoding: "utf8",
  }).trim();
  assert.equal(digest, swarm.image);

  const market = await startTestMarket(later, { transport: "direct" });
  const [home] = market.providers;
  await market.killActor(home!.name);
  const engine = { docker: { socketPath: swarm.manager.socketPath } };
  await appendFile(join(home!.dir, "config.yaml"), stringify(engine));
  const provider = market.launch(["provide", "--engine", "swarm", "--stake", "1"], home);
  later.after(
    () =>
      new Promise((resolve) => {
        provider.once("exit", resolve);
        provider.kill("SIGTERM");
      }),
  );
  await new Promise((resolve) => {
    createInterface({ input: provider.stdout! }).on(
      "line",
      (line) => line.includes('"ready"') && resolve(line),
    );
  });

  const job = join(market.dir, "job");
  await mkdir(job);
  await writeFile(join(job, "task.sh"), TASK);
  await writeFile(
    join(job, "job.yaml"),
    stringify({
      version: 1,
      name: "tiny",
      image: swarm.image,
      command: ["/usr/bin/dash", "task.sh"],
      inputs: ["task.sh"],
      outputs: ["model"],
      resources: { cpus: 1, memory: "64 MiB", disk: "1 MiB", time: "2m" },
      verification: { mode: "evaluate", metric: "acc", threshold: 0.9, tolerance: 0.001 },
    }),
  );
  const out = join(market.dir, "opened");
  const services = swarm.manager.watch(["events", "--filter=type=service", "--filter=event=create"]);
  const { code, stdout, stderr } = await market.attempt([
    "submit",
    join(job, "job.yaml"),
    "--wait",
    "--out",
    out,
  ]);
  const created = (await services.end()).match(/name=ichain-[0-9a-f]{12}-provider-/g);
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.equal(created?.length, 3, "one service to produce, two to evaluate");
  const { state, verdict } = lastJson(stdout);
  assert.deepEqual([state, verdict], ["Settled", "pass"]);
  assert.equal(await readFile(join(out, "model"), "utf8"), "trained\n");
  assert.equal(swarm.manager.docker(["service", "ls", "--quiet"]), "");
  assert.equal(swarm.manager.docker(["ps", "--all", "--quiet"]), "");
});
