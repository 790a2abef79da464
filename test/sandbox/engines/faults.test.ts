import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isIchainError } from "../../../src/errors/error.ts";
import { dockerEngine } from "../../../src/sandbox/engines/docker.ts";
import type { Engine } from "../../../src/sandbox/engines/engine.ts";
import { notAnswering } from "../../../src/sandbox/engines/faults.ts";
import { containerName } from "../../../src/sandbox/policy.ts";
import { supervise } from "../../../src/sandbox/run/supervise.ts";
import { createSandbox, DEFAULT_SOCKET } from "../../../src/sandbox/sandbox.ts";
import { tinyImage } from "../../adversarial/task/tiny-image.ts";
import { needs } from "../../support/require.ts";
import { type SandboxSetup, sandboxSetup } from "../support.ts";

/** The real engine behind a proxy that can be frozen: connections stay open and carry nothing. */
async function freezable(t: TestContext, dir: string) {
  const socketPath = join(dir, "engine.sock");
  const ends = new Set<Socket>();
  let frozen = false;
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ path: DEFAULT_SOCKET, allowHalfOpen: true });
    for (const end of [near, far]) {
      ends.add(end);
      end.on("error", () => undefined);
      if (frozen) end.pause();
    }
    if (!frozen) {
      near.pipe(far);
      far.pipe(near);
    }
  }).listen(socketPath);
  await once(server, "listening");
  t.after(() => {
    for (const end of ends) end.destroy();
    server.close();
  });
  return {
    socketPath,
    freeze() {
      frozen = true;
      for (const end of ends) end.unpipe().pause();
    },
    thaw() {
      frozen = false;
      for (const end of ends) end.destroy();
      ends.clear();
    },
  };
}

const unavailable = (error: unknown) =>
  isIchainError(error, "DOCKER_UNAVAILABLE") && error.class === "unavailable" && error.retryable;

test(
  "an engine that stops answering is reported, and the run continues when it answers again",
  needs("docker"),
  async (t) => {
    const { task, dir, instance, engine: direct } = await sandboxSetup(t);
    const proxy = await freezable(t, dir);
    const engine = dockerEngine({ socketPath: proxy.socketPath, answerMs: 2000 });
    const sandbox = createSandbox({ stateDir: join(dir, "state"), instance, engine });
    const work = await task(`
import os, time
print("up")
while not os.path.exists("/in/go"): time.sleep(0.05)
open("/out/x", "w").write("1")
print("done")
`);

    proxy.freeze();
    await assert.rejects(sandbox.probe(), unavailable);
    await assert.rejects(sandbox.run(work), unavailable);
    proxy.thaw();

    const name = containerName(instance, work.id);
    const up = Promise.withResolvers<void>();
    const first = sandbox.run(work, { onLog: () => up.resolve() });
    // This call is cut off below, or notices the container's end at its next heartbeat.
    const cutOff = first.then(
      () => undefined,
      (error: unknown) => error,
    );
    await Promise.race([up.promise, first]);
    proxy.freeze();
    const impatient = dockerEngine({ socketPath: proxy.socketPath, answerMs: 200 });
    await assert.rejects(supervise(impatient, name, { seconds: 60, heartbeatMs: 100 }), unavailable);
    proxy.thaw();
    assert.equal(
      (await direct.inspect(name))?.status,
      "running",
      "the task runs on while the engine does not answer",
    );

    await writeFile(join(work.inputDir, "go"), "");
    const failure = await cutOff;
    assert.ok(failure === undefined || unavailable(failure), String(failure));
    const again = createSandbox({ stateDir: join(dir, "state"), instance, engine: direct });
    const run = await again.run(work);
    assert.deepEqual([run.ended, run.log], ["exit", "up\ndone\n"]);
  },
);

for (const [what, shift] of [
  ["forward", -86_400_000],
  ["back", 86_400_000],
] as const) {
  test(
    `a clock that is set ${what} by a day while a task runs neither ends the task nor extends its deadline`,
    needs("docker"),
    async (t) => {
      const { task, dir, instance, engine } = await sandboxSetup(t);
      const stateDir = join(dir, "state");
      // The start that the engine recorded before the clock was set, relative to the clock after.
      const jumped: Engine = {
        ...engine,
        async inspect(container, waits) {
          const state = await engine.inspect(container, waits);
          const running = state?.status === "running";
          return running ? { ...state, startedAt: state.startedAt + shift } : state;
        },
      };
      for (const [program, ended] of [
        [`print("up", flush=True)\nimport time; time.sleep(2)\nprint("done")`, "exit"],
        [`print("up", flush=True)\nwhile True: pass`, "deadline"],
      ] as const) {
        const work = await task(program, { limits: { wallSeconds: 6 } });
        // The sandbox that starts the task loses its engine as soon as the task runs, and leaves it running.
        const up = Promise.withResolvers<void>();
        const dying: Engine = {
          ...engine,
          ended: () => up.promise.then(() => Promise.reject(notAnswering("here"))),
        };
        const first = createSandbox({ stateDir, instance, engine: dying });
        await assert.rejects(first.run(work, { onLog: () => up.resolve() }), unavailable);
        const run = await createSandbox({ stateDir, instance, engine: jumped }).run(work);
        assert.equal(run.ended, ended, JSON.stringify(run));
        assert.ok(run.wallSeconds < 20, `${run.wallSeconds} s`);
      }
    },
  );
}

test("a removed image is reported, and the next task with another image runs", needs("docker"), async (t) => {
  const { sandbox, task } = await sandboxSetup(t);
  const image = await tinyImage(t, { links: { "to-vanish": "x" } });
  const work = await task("", { image: image.digest, command: ["/usr/bin/dash", "-c", "pwd"] });
  execFileSync("docker", ["rmi", "-f", image.tags[0]!], { stdio: "ignore" });
  await assert.rejects(sandbox.run(work), (error) => isIchainError(error, "IMAGE_UNKNOWN"));
  assert.equal((await sandbox.run(await task(`print("still up")`))).log, "still up\n");
});

test("a full disk is reported before the task starts", needs("docker", "root"), async (t) => {
  const { task, dir, instance } = await sandboxSetup(t);
  const small = join(dir, "small");
  await mkdir(small);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", small]);
  try {
    await fullDisks(small, task, instance);
  } finally {
    execFileSync("umount", [small]);
  }
});

async function fullDisks(small: string, task: SandboxSetup["task"], instance: string): Promise<void> {
  const sandbox = createSandbox({ stateDir: join(small, "state"), instance });
  const full = (error: unknown) => isIchainError(error, "SANDBOX_DISK_FULL") && error.retryable;

  const work = await task(`open("/out/x", "wb").write(b"x" * (7 << 20))`);
  execFileSync("fallocate", ["-l", "12M", join(small, "ballast")]);
  await assert.rejects(sandbox.run(work), full);
  await rm(join(small, "ballast"));
  const run = await sandbox.run(work);
  assert.deepEqual([run.ended, run.exitCode], ["exit", 0]);
  await sandbox.sweep(new Set());
}

test("a sweep removes what other runs left, and keeps the named ones", needs("docker"), async (t) => {
  const { sandbox, task, engine, instance, dir } = await sandboxSetup(t);
  const proxy = await freezable(t, dir);
  const through = dockerEngine({ socketPath: proxy.socketPath, answerMs: 2000 });
  const lost = createSandbox({ stateDir: join(dir, "state"), instance, engine: through });
  const [kept, left] = [
    await task(`import time; print("up"); time.sleep(30)`),
    await task(`import time; print("up"); time.sleep(30)`),
  ];
  for (const work of [kept, left]) {
    await new Promise<void>((resolve) => {
      lost.run(work, { onLog: () => resolve() }).catch(unavailable);
    });
  }
  proxy.thaw(); // cuts the connections, so that no call follows the tasks
  await sandbox.sweep(new Set([kept.id]));
  const names = (await engine.list({ "ichain.instance": instance })).map(({ name }) => name);
  assert.deepEqual(names, [containerName(instance, kept.id)]);
  const mounts = execFileSync("cat", ["/proc/self/mountinfo"], { encoding: "utf8" });
  assert.ok(mounts.includes(`/${kept.id}/out`) && !mounts.includes(`/${left.id}/out`));
});
