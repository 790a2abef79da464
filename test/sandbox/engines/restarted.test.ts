import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { retryUnavailable } from "../../../src/async/retry.ts";
import { createSandbox } from "../../../src/sandbox/sandbox.ts";
import { lifo } from "../../support/lifo.ts";
import { needs } from "../../support/require.ts";
import { startDockerd } from "../../support/sandbox/dockerd.ts";
import { tinyRoot } from "../../support/sandbox/tiny-root.ts";
import { writeScript } from "../support.ts";

test(
  "a run whose engine is restarted in the middle of it is made once more, and is no failure of its task",
  needs("root", "docker"),
  async (context) => {
    const t = lifo(context);
    const dir = await mkdtemp(join(tmpdir(), "ichain-restarted-"));
    t.after(() => rm(dir, { recursive: true, force: true }));
    const daemon = await startDockerd(t);
    daemon.docker(["import", "-", "ichain/tiny"], tinyRoot());
    const image = daemon.docker(["image", "inspect", "ichain/tiny", "--format={{index .RootFS.Layers 0}}"]);
    const { socketPath } = daemon;
    const sandbox = createSandbox({ socketPath, stateDir: join(dir, "state"), instance: "restarted" });
    t.after(() => sandbox.sweep(new Set()));
    const script =
      "echo up; i=0; while [ $i -lt 30 ]; do sleep 0.1; i=$((i+1)); done; echo x > /out/x; echo done";
    const task = await writeScript(dir, image, script);
    let restarted: Promise<void> | undefined;
    const onLog = (text: string) => {
      if (text.includes("up")) restarted ??= daemon.restart();
    };
    const run = await retryUnavailable(() => sandbox.run(task, { onLog }), {}, 60_000);
    await restarted;
    assert.deepEqual([run.ended, run.exitCode, run.log], ["exit", 0, "up\ndone\n"]);
  },
);
