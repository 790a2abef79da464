import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import type { ErrorCode } from "../../../src/errors/catalogue.ts";
import { isIchainError } from "../../../src/errors/error.ts";
import type { Sandbox, SandboxTask } from "../../../src/ports/sandbox.ts";
import type { Engine } from "../../../src/sandbox/engines/engine.ts";
import { swarmEngine } from "../../../src/sandbox/engines/swarm/swarm.ts";
import { labels } from "../../../src/sandbox/policy.ts";
import { createSandbox } from "../../../src/sandbox/sandbox.ts";
import { lifo } from "../../support/lifo.ts";
import { needs } from "../../support/require.ts";
import { startDockerd } from "../../support/sandbox/dockerd.ts";
import { startSwarm, type TestSwarm } from "../../support/sandbox/swarm.ts";
import { MIB, type TaskChanges, writeScript } from "../support.ts";

const GPU = "GPU-11111111-2222-3333-4444-555555555555";

interface SwarmSetup {
  readonly engine: Engine;
  readonly sandbox: Sandbox;
  readonly instance: string;
  readonly dir: string;
  task(script: string, more?: TaskChanges): Promise<SandboxTask>;
}

let count = 0;

async function swarmSetup(
  t: Pick<TestContext, "after">,
  { manager, image }: TestSwarm,
  shared: boolean,
  startMs?: number,
): Promise<SwarmSetup> {
  const dir = await mkdtemp(join(tmpdir(), "ichain-swarm-"));
  const engine = swarmEngine({ socketPath: manager.socketPath, shared, startMs });
  const instance = `test-${process.pid}-${count++}`;
  const sandbox = createSandbox({ engine, shared, stateDir: join(dir, "state"), instance });
  t.after(async () => {
    await sandbox.sweep(new Set());
    assert.deepEqual(
      await engine.list({ [labels.instance]: instance }),
      [],
      "no service or container is left",
    );
    await rm(dir, { recursive: true, force: true });
  });
  return {
    engine,
    sandbox,
    instance,
    dir,
    task: (script, more) => writeScript(dir, image, script, more),
  };
}

const code = (wanted: ErrorCode) => (error: unknown) =>
  isIchainError(error, wanted) || assert.fail(String(error));

/** One swarm for all tests of a suite. Each test removes what it has created. */
function sharedSwarm(options: Parameters<typeof startSwarm>[1]): () => TestSwarm {
  const later = lifo({ after: (undo) => after(undo as () => unknown) });
  let swarm: TestSwarm | undefined;
  before(async () => {
    if (!needs("root", "docker").skip) swarm = await startSwarm(later, options);
  });
  return () => swarm ?? assert.fail("no swarm");
}

describe("a swarm of one node", () => {
  const one = sharedSwarm({});
  it(
    "runs a task as a service and returns its log, its outputs and its exit code",
    needs("root", "docker"),
    async (t) => {
      const { sandbox, task } = await swarmSetup(t, one(), false);
      const report = await sandbox.probe();
      assert.deepEqual(
        [report.engine, report.tier, report.images.map(({ name }) => name)],
        ["swarm", "runc", ["tiny"]],
      );

      const good = await task(
        'while read -r l; do echo "in $l"; done < /in/data; echo result > /out/r; sleep 0.2; echo said',
      );
      await writeFile(join(good.inputDir, "data"), "line\n");
      const heard: string[] = [];
      const run = await sandbox.run(good, { onLog: (text) => heard.push(text) });
      assert.deepEqual([run.ended, run.exitCode, run.log], ["exit", 0, "in line\nsaid\n"]);
      assert.equal(heard.join(""), run.log);
      assert.equal(await readFile(join(await sandbox.outputs(good.id), "r"), "utf8"), "result\n");
      // The engine notes the start when it comes to it: less than the task took, on a busy machine.
      assert.ok(run.wallSeconds > 0 && run.wallSeconds < 30, `${run.wallSeconds} s`);

      const failed = await sandbox.run(await task("echo no >&2; exit 7"));
      assert.deepEqual([failed.ended, failed.exitCode, failed.log], ["exit", 7, "no\n"]);

      const late = await sandbox.run(
        await task("trap : TERM; while :; do sleep 1; done", { limits: { wallSeconds: 1 } }),
      );
      assert.equal(late.ended, "deadline");

      const full = await sandbox.run(
        await task("while echo 0123456789012345678901234567890123456789; do :; done > /out/big", {
          limits: { diskBytes: MIB },
        }),
      );
      assert.equal(full.ended, "disk");

      const isolation = await sandbox.run(
        await task(
          "echo x > /x; echo x > /in/x; ls /sys/class/net; pwd; ls -ld /tmp; echo y > /tmp/y; ls /tmp; ulimit -c; exit 0",
        ),
      );
      assert.match(isolation.log, /cannot create \/x: Read-only file system/);
      assert.match(isolation.log, /cannot create \/in\/x: (Read-only file system|Permission denied)/);
      assert.match(isolation.log, /^lo$/m);
      for (const line of [/^\/in$/m, /^drwxrwxrwt/m, /^y$/m, /^0$/m]) assert.match(isolation.log, line);
    },
  );

  it(
    "follows a service that an earlier process started, and ends one on an abort",
    needs("root", "docker"),
    async (t) => {
      const { sandbox, task, engine, instance, dir } = await swarmSetup(t, one(), false);
      const slow = await task(
        "echo begun; while ! [ -e /out/../in/go ]; do sleep 0.1; done; echo done; echo r > /out/r",
      );
      const begun = Promise.withResolvers<void>();
      // The first sandbox never learns of the task's end, as after a crash.
      const first = createSandbox({
        engine: { ...engine, ended: () => new Promise(() => undefined) },
        stateDir: join(dir, "state"),
        instance,
      });
      void first
        .run(slow, { onLog: (text) => text.includes("begun") && begun.resolve() })
        .catch(() => undefined);
      await begun.promise;
      const second = sandbox.run(slow);
      await writeFile(join(slow.inputDir, "go"), "");
      const run = await second;
      assert.deepEqual([run.ended, run.exitCode, run.log], ["exit", 0, "begun\ndone\n"]);

      const stop = new AbortController();
      const endless = await task("echo begun; while :; do sleep 1; done");
      await assert.rejects(sandbox.run(endless, { signal: stop.signal, onLog: () => stop.abort() }), {
        name: "AbortError",
      });
      assert.deepEqual(await engine.list({ [labels.instance]: instance }), []);
    },
  );

  it(
    "is refused when its engine does not isolate tasks or is not a manager",
    needs("root", "docker"),
    async (t) => {
      const later = lifo(t);
      const lone = await startDockerd(later);
      await assert.rejects(
        swarmEngine({ socketPath: lone.socketPath, shared: false }).info(),
        code("SWARM_INACTIVE"),
      );

      const swarm = await startSwarm(later, { flags: ["--bridge=none"] });
      const open = await swarmSetup(later, swarm, false);
      await assert.rejects(open.sandbox.probe(), code("SANDBOX_OPEN"));
    },
  );
});

describe("a swarm of two nodes", () => {
  const two = sharedSwarm({
    workers: 1,
    workerFlags: [`--node-generic-resource=NVIDIA-GPU=${GPU}`],
  });
  it(
    "runs a task where its GPUs are, one task a GPU, and fetches its outputs from there",
    needs("root", "docker"),
    async (t) => {
      const swarm = two();
      const { sandbox, task } = await swarmSetup(t, swarm, true, 3000);
      const report = await sandbox.probe();
      assert.deepEqual(
        report.gpus.map(({ uuid }) => uuid),
        [GPU],
      );
      const script = "echo begun; while ! [ -e /in/go ]; do sleep 0.1; done; echo r > /out/r";
      const [first, second] = [await task(script, { gpus: [GPU] }), await task("exit 0", { gpus: [GPU] })];
      const begun = Promise.withResolvers<void>();
      const running = sandbox.run(first, { onLog: () => begun.resolve() });
      await begun.promise;
      const worker = swarm.workers[0]!;
      assert.match(worker.docker(["ps", "--format={{.Names}}"]), new RegExp(first.id));
      assert.match(
        worker.docker(["inspect", "--format={{.Config.Env}}", worker.docker(["ps", "-q"])]),
        new RegExp(`DOCKER_RESOURCE_NVIDIA-GPU=${GPU}`),
      );
      await assert.rejects(sandbox.run(second), code("SWARM_FULL"));
      await writeFile(join(first.inputDir, "go"), "");
      assert.equal((await running).exitCode, 0);
      assert.equal(await readFile(join(await sandbox.outputs(first.id), "r"), "utf8"), "r\n");
      assert.equal((await sandbox.run(second)).exitCode, 0);
    },
  );

  it(
    "fails a task whose node is drained or stops, and runs it again on the other node",
    needs("root", "docker"),
    async (t) => {
      const swarm = two();
      const { sandbox, task } = await swarmSetup(t, swarm, true);
      const [here, there] = swarm.nodes;
      for (const trouble of ["drained", "dead"] as const) {
        swarm.manager.docker(["node", "update", "--availability=drain", here!]); // the task goes to the worker
        const job = await task("echo begun; while ! [ -e /in/go ]; do sleep 0.1; done; echo r > /out/r");
        const begun = Promise.withResolvers<void>();
        const lost = assert.rejects(
          sandbox.run(job, { onLog: () => begun.resolve() }),
          (error) => isIchainError(error, "SWARM_NODE_LOST") && error.retryable,
        );
        await begun.promise;
        swarm.manager.docker(["node", "update", "--availability=active", here!]);
        if (trouble === "drained") swarm.manager.docker(["node", "update", "--availability=drain", there!]);
        else swarm.workers[0]!.freeze();
        await lost;
        await writeFile(join(job.inputDir, "go"), "");
        const again = await sandbox.run(job);
        assert.deepEqual([again.ended, again.exitCode], ["exit", 0]);
        assert.equal(await readFile(join(await sandbox.outputs(job.id), "r"), "utf8"), "r\n");
        swarm.manager.docker(["node", "update", "--availability=active", there!]);
      }
    },
  );

  it("ends a task that exceeds its disk in the shared folder", needs("root", "docker"), async (t) => {
    const { sandbox, task } = await swarmSetup(t, two(), true);
    const script = "i=0; while sleep 0.01; do i=$((i+1)); ls -lR /usr > /out/$i; done";
    const run = await sandbox.run(await task(script, { limits: { diskBytes: MIB } }));
    assert.equal(run.ended, "disk");
  });
});
