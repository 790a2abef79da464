import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { lstat, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { before as beforeAll, describe, test } from "node:test";
import { isIchainError } from "../../../src/errors/error.ts";
import { dockerEngine } from "../../../src/sandbox/engines/docker.ts";
import { containerName, containerSettings } from "../../../src/sandbox/policy.ts";
import { buildRuntime } from "../../../src/sandbox/runtimes/build.ts";
import { chooseRuntime } from "../../../src/sandbox/runtimes/choose.ts";
import { DEFAULT_SOCKET } from "../../../src/sandbox/sandbox.ts";
import { MIB, sandboxSetup } from "../../sandbox/support.ts";
import { needs } from "../../support/require.ts";
import { type AttackSetup, assertDenied, attackSetup } from "./attack-setup.ts";
import { type HostState, hostState, leftSince } from "./host-state.ts";
import { needsTier } from "./require.ts";

const mark = `test-${process.pid}-`;
let before: HostState;
beforeAll(async () => {
  if (!existsSync(DEFAULT_SOCKET)) return;
  // Build it before measuring: it adds hundreds of megabytes that stay.
  await buildRuntime(dockerEngine({ socketPath: DEFAULT_SOCKET }), "python-ml");
  before = hostState(mark);
});

/** Attempts that succeed under gVisor but affect only its own kernel, by probe. */
const gvisorOwn: Readonly<Record<string, RegExp>> = {
  "8": /oom_score_adj|out-of-memory killer/, // its kernel stores the number and does not use it
  "9": /\/proc\/cmdline.*gvisor/, // not the host's command line
  "10": /fuse|\/dev\/net\/tun/, // devices of its own kernel, which can mount nothing and reach no network
};

for (const tier of ["runc", "gvisor"] as const) {
  describe(`under ${tier}`, () => {
    const probe = (title: string, act: (on: AttackSetup) => Promise<void>) =>
      test(title, needsTier(tier), async (t) => act(await attackSetup(t, tier)));
    const harmless = (number: string) => (tier === "gvisor" ? gvisorOwn[number] : undefined);

    probe("1 no packet leaves the sandbox", async ({ run }) => {
      const server = createServer((socket) => socket.end()).listen(0, "0.0.0.0");
      await once(server, "listening");
      try {
        const address = server.address();
        assert.ok(typeof address === "object" && address !== null);
        assertDenied(await run("01-network.py", { args: [String(address.port)] }), 10);
      } finally {
        server.close();
      }
    });

    probe("2 the metadata address does not answer", async ({ run }) => {
      assertDenied(await run("02-metadata.py"), 4);
    });

    probe("3 the engine's socket does not exist", async ({ run }) => {
      assertDenied(await run("03-engine-socket.py"), 7);
    });

    probe("4 only local and loopback socket families open", async ({ run }) => {
      assertDenied(await run("04-socket-families.py"), 46);
    });

    probe("5 risky system calls are denied", async ({ run }) => {
      assertDenied(await run("05-kernel-interfaces.py"), 20);
    });

    probe("6 no namespace can be created or joined", async ({ run }) => {
      assertDenied(await run("06-namespaces.py"), 22);
    });

    probe("7 nothing can be mounted", async ({ run }) => {
      assertDenied(await run("07-mount.py"), 13);
    });

    probe("8 kernel settings cannot be changed", async ({ run }) => {
      assertDenied(await run("08-kernel-settings.py"), 17, harmless("8"));
    });

    probe("9 kernel memory and addresses cannot be read", async ({ run }) => {
      assertDenied(await run("09-kernel-memory.py"), 13, harmless("9"));
    });

    probe("10 no device can be created or opened", async ({ run }) => {
      assertDenied(await run("10-devices.py"), 21, harmless("10"));
    });

    probe("11 a task cannot become root", async ({ run }) => {
      assertDenied(await run("11-become-root.py"), 12);
    });

    probe("12 the root filesystem and /in are read-only", async ({ run, attack }) => {
      assertDenied(await run("12-write-root.py", { id: "writer" }), 19);
      const { inputDir } = await attack("12-write-root.py", { id: "writer" });
      assert.deepEqual((await readdir(inputDir)).sort(), ["12-write-root.py", "support.py"]);
    });

    probe("13 a fork bomb stops at the limit on processes", async ({ run }) => {
      const limit = 48;
      const result = await run("13-fork-bomb.py", {
        limits: { pids: limit, wallSeconds: 20 },
        args: [String(limit + (tier === "gvisor" ? 96 : 0))],
      });
      // gVisor's kernel may end the sandbox when it can create no thread, which also bounds the bomb.
      if (tier === "gvisor" && result.exitCode !== 0) assert.ok(result.wallSeconds < 25);
      else assertDenied(result, 2);
    });

    for (const kind of ["heap", "memfd", "tmp"]) {
      probe(`14 a memory bomb in ${kind} is ended`, async ({ run }) => {
        const result = await run("14-memory-bomb.py", {
          args: [kind],
          limits: { memoryBytes: 128 * MIB, wallSeconds: 40 },
        });
        assert.equal(result.ended, "memory", JSON.stringify(result));
      });
    }

    probe("14 shared memory is limited in size", async ({ run }) => {
      const result = await run("14-memory-bomb.py", {
        args: ["shm"],
        limits: { memoryBytes: 128 * MIB, wallSeconds: 40 },
      });
      assert.ok(
        result.ended === "memory" || /denied \/dev\/shm: 28/.test(result.log),
        JSON.stringify(result),
      );
    });

    probe("15 writable folders are limited in size", async ({ run }) => {
      const args = [String(8 * MIB), ...(tier === "gvisor" ? ["gvisor"] : [])];
      const result = await run("15-fill-disks.py", { args, limits: { memoryBytes: 384 * MIB } });
      if (tier === "gvisor" && result.ended === "memory") return; // its /tmp counts as the task's memory
      assertDenied(result, 5);
      assert.equal(result.ended, "disk");
    });

    probe("16 a flood of output is cut, and its last line kept", async ({ run }) => {
      let live = 0;
      const limits = { logBytes: 64 * 1024, wallSeconds: 6 };
      const result = await run(
        "16-log-flood.py",
        { args: ["flood"], limits },
        { onLog: (text) => (live += text.length) },
      );
      assert.ok(result.logTruncated && Buffer.byteLength(result.log) < 70_000, `${result.log.length}`);
      if (result.ended === "exit") assert.match(result.log, /acc: 0\.25\n$/);
      else assert.equal(result.ended, "deadline");
      assert.ok(live < 200 * MIB);
    });

    probe("16 control characters do not reach the terminal", async ({ run }) => {
      const result = await run("16-log-flood.py", { args: ["control"] });
      assert.doesNotMatch(result.log, /[^\P{C}\n\t]/u);
      assert.match(result.log, /done\nsame line\n\tend\n/);
    });

    for (const kind of [
      "symlink",
      "folder link",
      "hard link",
      "fifo",
      "socket",
      "sparse",
      "deep",
      "long path",
      "bytes",
      "newline",
      "escape",
      "backslash",
    ]) {
      probe(`17 outputs with a ${kind} are refused`, async ({ attack, sandbox }) => {
        const task = await attack("17-outputs.py", { args: [kind] });
        const result = await sandbox.run(task);
        if (result.ended === "exit" && result.exitCode === 0) {
          // gVisor does not create FIFOs and sockets on the disk.
          assert.ok(tier === "gvisor" && (kind === "fifo" || kind === "socket"), JSON.stringify(result));
          assert.deepEqual(await readdir(await sandbox.outputs(task.id)), ["fine.txt"]);
          return;
        }
        await assert.rejects(sandbox.outputs(task.id), (error) => isIchainError(error, "OUTPUTS_LOST"));
      });
    }

    probe("17 outputs lose set-user bits and closed modes", async ({ attack, sandbox }) => {
      const task = await attack("17-outputs.py", { args: ["modes"] });
      assert.equal((await sandbox.run(task)).ended, "exit");
      const outputs = await sandbox.outputs(task.id);
      assert.equal((await lstat(join(outputs, "run"))).mode & 0o7777, 0o644);
      assert.equal((await lstat(join(outputs, "closed"))).mode & 0o7777, 0o755);
      assert.equal(await readFile(join(outputs, "closed/x"), "utf8"), "y");
    });

    probe("18 an archive among the outputs stays a file", async ({ attack, sandbox }) => {
      // Hostile bundles and results are parcels, which test/transfer/parcel/ tests.
      const task = await attack("18-archive.py", { limits: { memoryBytes: 384 * MIB } });
      assert.deepEqual([(await sandbox.run(task)).log], ["archived\n"]);
      assert.deepEqual((await readdir(await sandbox.outputs(task.id))).sort(), ["bomb.zip", "evil.tar"]);
      await assert.rejects(stat("/tmp/ichain-escaped"));
    });

    probe("20 processes that a task leaves behind end with it", async ({ run }) => {
      const mark = String(40_000 + Math.floor(Math.random() * 9_999));
      const result = await run("20-outlive.py", { args: ["daemon", mark] });
      assert.deepEqual([result.ended, result.log], ["exit", "left one behind\n"]);
      assert.equal(await commandLines(mark), 0);
    });

    probe(
      "20 the deadline inside the container ends a task without the daemon",
      async ({ attack, engine, instance }) => {
        const task = await attack("20-outlive.py", {
          args: ["stay", tier],
          limits: { wallSeconds: 1 },
          id: "orphan",
        });
        // Started by the engine without a daemon, as after `kill -9`.
        const info = await engine.info();
        const image = (await engine.images()).find(({ digest }) => digest === task.image);
        const settings = containerSettings(task, {
          instance,
          imageId: image!.id,
          limits: task.limits,
          outDir: undefined,
          runtime: chooseRuntime(info, tier),
          cgroupParent: undefined,
          deadline: 0,
        });
        const id = await engine.create(containerName(instance, task.id), settings);
        const output = await engine.output(id, { replay: false });
        await engine.start(id);
        await engine.ended(id, { signal: AbortSignal.timeout(30_000) });
        let log = "";
        for await (const chunk of output) log += Buffer.from(chunk).toString();
        assert.match(log, /still here/);
        assert.doesNotMatch(log, /ALLOWED/);
        const { startedAt, finishedAt } = (await engine.inspect(id))!;
        assert.ok(finishedAt - startedAt < 15_000, `${finishedAt - startedAt} ms`);
      },
    );

    probe("21 a task that asked for no GPU reaches none", async ({ run }) => {
      assertDenied(await run("21-gpus.py"), 8);
    });

    probe("22 neither environment nor files of the daemon are inherited", async ({ run }) => {
      const secret = randomBytes(12).toString("hex");
      process.env.ICHAIN_TEST_SECRET = secret;
      try {
        assertDenied(
          await run("22-secrets.py", { args: [[...secret].reverse().join("")] }),
          5,
          harmless("22"),
        );
      } finally {
        delete process.env.ICHAIN_TEST_SECRET;
      }
    });

    probe("23 no process can be traced or read", async ({ run }) => {
      assertDenied(await run("23-trace.py"), 10);
    });

    probe("24 two concurrent tasks see nothing of each other", async ({ attack, sandbox }) => {
      const names = [randomBytes(8).toString("hex"), randomBytes(8).toString("hex")] as const;
      const reversed = (text: string) => [...text].reverse().join("");
      const both = [
        await attack("24-neighbour.py", { args: [names[0], reversed(names[1])] }),
        await attack("24-neighbour.py", { args: [names[1], reversed(names[0])] }),
      ];
      for (const [i, task] of both.entries()) await writeFile(join(task.inputDir, "secret"), names[i]!);
      let up = 0;
      const onLog = (text: string) => {
        if (text.includes("ready") && ++up === 2)
          for (const task of both) void writeFile(join(task.inputDir, "go"), "");
      };
      const results = await Promise.all(both.map((task) => sandbox.run(task, { onLog })));
      for (const result of results) assertDenied(result, 3);
    });

    probe("25 a busy loop gets its CPU quota and no more, until its deadline", async ({ run }) => {
      const result = await run("25-busy.py", { limits: { cpus: 0.5, wallSeconds: 3 } });
      assert.equal(result.ended, "deadline");
      assert.ok(
        result.cpuSeconds <= result.wallSeconds * 0.5 * 1.2 + 0.2,
        `${result.cpuSeconds} in ${result.wallSeconds} s`,
      );
    });
  });
}

test("the next task runs after all attacks", needs("docker"), async (t) => {
  const { sandbox, task } = await sandboxSetup(t);
  const work = await task(`open("/out/model", "w").write("x"); print("acc: 1")`);
  const run = await sandbox.run(work);
  assert.deepEqual([run.ended, run.log], ["exit", "acc: 1\n"]);
});

test("nothing is left on the machine", needs("docker", "alone"), async () => {
  assert.deepEqual(await leftSince(before, mark), []);
});

/** Processes of the whole machine with `mark` among their arguments. */
async function commandLines(mark: string): Promise<number> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return lines.filter((line) => line.split("\0").includes(mark)).length;
}
