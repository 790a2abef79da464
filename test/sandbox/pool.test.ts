import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { ErrorCode } from "../../src/errors/catalogue.ts";
import { isIchainError } from "../../src/errors/error.ts";
import type { Sandbox, SandboxTask } from "../../src/ports/sandbox.ts";
import { remoteEngine } from "../../src/sandbox/engines/remote/remote.ts";
import type { Target } from "../../src/sandbox/engines/target.ts";
import { type Member, poolSandbox } from "../../src/sandbox/pool.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { lifo } from "../support/lifo.ts";
import { needs } from "../support/require.ts";
import { type Certificates, makeCertificates } from "../support/sandbox/certificates.ts";
import { type Dockerd, isolatedFlags, startDockerd } from "../support/sandbox/dockerd.ts";
import { tinyRoot } from "../support/sandbox/tiny-root.ts";
import { MIB, type TaskChanges, writeScript } from "./support.ts";

const INSTANCE = "pool";
const gpu = (n: number) => `GPU-${n}1111111-2222-3333-4444-555555555555`;
const code = (wanted: ErrorCode) => (error: unknown) =>
  isIchainError(error, wanted) || assert.fail(String(error));

interface Engines {
  readonly dir: string;
  readonly certificates: Certificates;
  readonly daemons: readonly Dockerd[];
  readonly members: readonly Member[];
  readonly image: string;
}

function member(name: string, target: Target & { answerMs?: number }, dir: string): Member {
  const engine = remoteEngine(target);
  const stateDir = join(dir, name);
  return { name, engine, sandbox: createSandbox({ engine, shared: true, stateDir, instance: INSTANCE }) };
}

function openPool({ members, dir }: Engines): Sandbox {
  return poolSandbox(members, join(dir, "pool"));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function task({ dir, image }: Engines, script: string, more?: TaskChanges): Promise<SandboxTask> {
  const task = await writeScript(dir, image, script, more);
  await mkdir(join(task.inputDir, "deep/er"), { recursive: true, mode: 0o700 });
  await writeFile(join(task.inputDir, "deep/er/data"), "from afar\n", { mode: 0o600 });
  return task;
}

describe("a pool of two engines reached over TLS", needs("root", "docker"), () => {
  let engines: Engines;
  const later = lifo({ after: (undo) => after(undo as () => unknown) });
  before(async () => {
    const dir = await mkdtemp(join(tmpdir(), "ichain-pool-"));
    later.after(() => rm(dir, { recursive: true, force: true }));
    const certificates = makeCertificates(dir);
    const root = tinyRoot();
    const [daemons, members]: [Dockerd[], Member[]] = [[], []];
    for (const n of [0, 1]) {
      const url = `tcp://127.0.0.1:${await freePort()}`;
      const resource = `--node-generic-resource=NVIDIA-GPU=${gpu(n)}`;
      const daemon = await startDockerd(later, [
        ...isolatedFlags,
        `--host=${url}`,
        ...certificates.flags,
        resource,
      ]);
      daemon.docker(["import", "-", "ichain/tiny"], root);
      daemons.push(daemon);
      members.push(member(`engine-${n}`, { url, ...certificates.client, answerMs: 4000 }, dir));
    }
    const image = daemons[0]!.docker([
      "image",
      "inspect",
      "ichain/tiny",
      "--format={{index .RootFS.Layers 0}}",
    ]);
    engines = { dir, certificates, daemons, members, image };
  });

  it(
    "copies inputs to the engine and outputs back, and leaves no container or volume",
    needs("root", "docker"),
    async () => {
      const pool = openPool(engines);
      const report = await pool.probe();
      assert.deepEqual([report.engine, report.tier], ["pool of 2", "runc"]);
      assert.deepEqual(report.gpus.map(({ uuid }) => uuid).toSorted(), [gpu(0), gpu(1)]);

      const script = `read -r line < deep/er/data; echo "said $line"; cd /out; : > plain; echo "$line" > copy; ls /sys/class/net`;
      const good = await task(engines, script);
      const run = await pool.run(good);
      assert.deepEqual([run.ended, run.exitCode, run.log], ["exit", 0, "said from afar\nlo\n"]);
      const resultDir = await pool.outputs(good.id);
      assert.equal(await readFile(join(resultDir, "copy"), "utf8"), "from afar\n");
      assert.equal(await readFile(join(resultDir, "plain"), "utf8"), "");
      await writeFile(
        join(good.inputDir, "main.sh"),
        "read -r line < /out/copy; echo acc: 1 $line; echo x > /out/x",
      );
      const check = { ...good, id: `${good.id}-check`, resultDir };
      const again = await pool.run(check);
      // The engine does not keep the order of stdout and stderr.
      assert.match(again.log, /^acc: 1 from afar$/m);
      assert.match(again.log, /cannot create \/out\/x: Read-only file system$/m);

      const over = await pool.run(
        await task(
          engines,
          "while echo 0123456789012345678901234567890123456789; do :; done > /out/big 2>/dev/null",
          {
            limits: { diskBytes: MIB },
          },
        ),
      );
      assert.equal(over.ended, "disk");
      for (const daemon of engines.daemons) {
        assert.equal(daemon.docker(["ps", "--all", "--quiet"]), "");
        assert.equal(daemon.docker(["volume", "ls", "--quiet"]), "");
      }
    },
  );

  it(
    "gives two jobs an engine each, reserves a GPU for one job at a time, and sends a task to its GPU",
    needs("root", "docker"),
    async () => {
      const pool = openPool(engines);
      await pool.probe(); // it runs a container on each engine, so not while the first task runs
      const wait = "echo begun; while ! [ -e /out/go ]; do sleep 0.1; done";
      const [first, second] = [await task(engines, wait), await task(engines, wait)];
      const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
      const running = [pool.run(first, { onLog: () => begun[0].resolve() })];
      await begun[0].promise;
      running.push(pool.run(second, { onLog: () => begun[1].resolve() }));
      await begun[1].promise;
      for (const daemon of engines.daemons) {
        const names = daemon.docker(["ps", "--format={{.Names}}"]).split("\n");
        const [name, ...others] = names.filter((each) => /^ichain-pool-task-\d+$/.test(each));
        assert.ok(name !== undefined && others.length === 0, names.join());
        daemon.docker(["exec", name, "sh", "-c", ": > /out/go"]);
      }
      assert.deepEqual(
        (await Promise.all(running)).map(({ exitCode }) => exitCode),
        [0, 0],
      );

      const [one] = await pool.reserve("a", { count: 1 });
      const [two] = await pool.reserve("b", { count: 1 });
      assert.deepEqual([one, two].toSorted(), [gpu(0), gpu(1)]);
      await assert.rejects(pool.reserve("c", { count: 1 }), code("GPU_BUSY"));
      // There are two, but on different machines.
      await assert.rejects(pool.reserve("d", { count: 2 }), code("GPU_ABSENT"));
      pool.release("a");
      assert.deepEqual(await pool.reserve("c", { count: 1 }), [one]);
      pool.release("b");
      pool.release("c");
    },
  );

  it(
    "uses the other engine when one stops answering, discards the run on both, and fails when none answers",
    needs("root", "docker"),
    async () => {
      const pool = openPool(engines);
      const script = "echo begun; while ! [ -e /in/never ]; do sleep 0.1; done";
      const stuck = await task(engines, script);
      const begun = Promise.withResolvers<void>();
      const silent = (error: unknown) => isIchainError(error, "DOCKER_UNAVAILABLE") && error.retryable;
      const failed = [assert.rejects(pool.run(stuck, { onLog: () => begun.resolve() }), silent)];
      await begun.promise;
      const at = engines.daemons.findIndex((daemon) => daemon.docker(["ps", "--quiet"]) !== "");
      const [dead, alive] = [engines.daemons[at]!, engines.daemons[1 - at]!];
      // As of a process that has crashed: the pool has no record of this run.
      const orphan = await task(engines, script);
      const orphaned = Promise.withResolvers<void>();
      const { sandbox } = engines.members[at]!;
      failed.push(assert.rejects(sandbox.run(orphan, { onLog: () => orphaned.resolve() }), silent));
      await orphaned.promise;
      const jobs = (daemon: Dockerd) => [
        ...new Set(daemon.docker(["ps", "--all", '--format={{.Label "ichain.job"}}']).split("\n")),
      ];
      dead.freeze();
      try {
        await Promise.all(failed);
        await writeFile(join(stuck.inputDir, "never"), "");
        const again = await pool.run(stuck);
        assert.deepEqual([again.ended, again.exitCode], ["exit", 0]);
        await pool.discard(stuck.id);
        await assert.rejects(pool.outputs(stuck.id), code("OUTPUTS_LOST"));
        alive.freeze();
        await assert.rejects(pool.run(await task(engines, "exit 0")), code("DOCKER_UNAVAILABLE"));
      } finally {
        dead.thaw();
        alive.thaw();
      }
      assert.deepEqual(jobs(dead).toSorted(), [orphan.id, stuck.id].toSorted());
      await pool.discard("another");
      assert.deepEqual(jobs(dead), [orphan.id], "the pending discard is done when the engine answers again");
      assert.ok(!(await readdir(join(engines.dir, "pool/placed"))).includes(stuck.id));
      await pool.sweep(new Set());
      for (const daemon of engines.daemons) {
        assert.equal(daemon.docker(["ps", "--all", "--quiet"]), "");
        assert.equal(daemon.docker(["volume", "ls", "--quiet"]), "");
      }
    },
  );

  it(
    "refuses an engine whose certificate another authority has signed",
    needs("root", "docker"),
    async (t) => {
      const dir = await mkdtemp(join(tmpdir(), "ichain-pool-"));
      t.after(() => rm(dir, { recursive: true, force: true }));
      const { client } = makeCertificates(dir);
      const url = `tcp://127.0.0.1:${await freePort()}`;
      const daemon = await startDockerd(t, [
        ...isolatedFlags,
        `--host=${url}`,
        ...engines.certificates.flags,
      ]);
      assert.equal(daemon.docker(["ps", "--quiet"]), "");
      await assert.rejects(remoteEngine({ url, ...client }).ping(), code("DOCKER_UNAVAILABLE"));
    },
  );
});
