import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { isIchainError } from "../../src/errors/error.ts";
import { dockerEngine } from "../../src/sandbox/engines/docker.ts";
import { createSandbox, DEFAULT_SOCKET } from "../../src/sandbox/sandbox.ts";
import { needs } from "../support/require.ts";
import { MIB, sandboxSetup } from "./support.ts";

const lost = (error: unknown) => isIchainError(error, "OUTPUTS_LOST");

test("a task reads /in, writes /out and is measured", needs("docker"), async (t) => {
  const { sandbox, task } = await sandboxSetup(t);
  const work = await task(`
import time
end = time.process_time() + 0.5
hold = bytearray(64 << 20)
while time.process_time() < end: pass
open("/out/model.txt", "w").write(open("/in/main.py").read()[:8])
print("acc: 0.5")
`);
  let live = "";
  const run = await sandbox.run(work, { onLog: (text) => (live += text) });
  assert.deepEqual([run.ended, run.exitCode, run.log, live], ["exit", 0, "acc: 0.5\n", "acc: 0.5\n"]);
  assert.ok(run.cpuSeconds >= 0.5 && run.cpuSeconds < 3, `${run.cpuSeconds} s of CPU`);
  assert.ok(
    run.peakMemoryBytes > 64 * MIB && run.peakMemoryBytes <= 256 * MIB,
    `${run.peakMemoryBytes} bytes`,
  );
  assert.ok(run.wallSeconds >= 0.5);
  const outputs = await sandbox.outputs(work.id);
  assert.equal(await readFile(join(outputs, "model.txt"), "utf8"), "\nimport ");
  await assert.rejects(writeFile(join(outputs, "model.txt"), "another"), { code: "EROFS" });
});

test(
  "an evaluating run reads the result, cannot change it, and leaves nothing",
  needs("docker"),
  async (t) => {
    const { sandbox, task, dir } = await sandboxSetup(t);
    const resultDir = join(dir, "earlier");
    await mkdir(resultDir, { mode: 0o700 });
    await writeFile(join(resultDir, "model.txt"), "weights", { mode: 0o600 });
    const work = await task(
      `
print(open("/out/model.txt").read())
try: open("/out/new", "w")
except OSError as e: print(e.errno)
`,
      { resultDir },
    );
    assert.equal((await sandbox.run(work)).log, "weights\n30\n");
    assert.deepEqual(await readdir(resultDir), ["model.txt"]);
  },
);

test(
  "outputs can be evaluated in place: read-only, and a library among them can be loaded",
  needs("docker"),
  async (t) => {
    const { sandbox, task } = await sandboxSetup(t);
    const work = await task(`open("/out/library", "wb").write(bytes(4096))`);
    await sandbox.run(work);
    const look = `
import mmap
with open("/out/library", "rb") as f: mmap.mmap(f.fileno(), 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)
try: open("/out/library", "wb")
except OSError as e: print(e.errno)
`;
    const evaluation = await task(look, { resultDir: await sandbox.outputs(work.id) });
    const run = await sandbox.run(evaluation);
    assert.deepEqual([run.exitCode, run.log], [0, "30\n"]);
  },
);

test("a failed task returns its exit code and its log, and has no outputs", needs("docker"), async (t) => {
  const { sandbox, task } = await sandboxSetup(t);
  const work = await task(`open("/out/half", "w"); raise SystemExit(3)`);
  const run = await sandbox.run(work);
  assert.deepEqual([run.ended, run.exitCode], ["exit", 3]);
  await assert.rejects(sandbox.outputs(work.id), lost);
});

test("running a finished task again returns its record and keeps its outputs", needs("docker"), async (t) => {
  const { sandbox, task, engine } = await sandboxSetup(t);
  const work = await task(`import uuid; open("/out/id", "w").write(str(uuid.uuid4())); print("done")`);
  const first = await sandbox.run(work);
  const written = await readFile(join(await sandbox.outputs(work.id), "id"), "utf8");
  const again = await sandbox.run(work);
  assert.deepEqual(again, first);
  assert.equal(await readFile(join(await sandbox.outputs(work.id), "id"), "utf8"), written);
  assert.deepEqual(await engine.list({ "ichain.job": work.id }), []);
});

test(
  "outputs survive a reboot, and a run whose outputs are incomplete runs again",
  needs("docker"),
  async (t) => {
    const { sandbox, task, dir } = await sandboxSetup(t);
    const work = await task(`import uuid; open("/out/id", "w").write(str(uuid.uuid4()))`);
    await sandbox.run(work);
    const outputs = await sandbox.outputs(work.id);
    const written = await readFile(join(outputs, "id"), "utf8");
    const image = join(dir, "state/runs", work.id, "out.img");
    unmount(outputs, image); // as a reboot does
    assert.equal(await sandbox.outputs(work.id), outputs);
    assert.equal(await readFile(join(outputs, "id"), "utf8"), written);

    // After a power cut the image is as it was while mounted.
    execFileSync("cp", [image, `${image}.cut`]);
    unmount(outputs, image);
    execFileSync("mv", [`${image}.cut`, image]);
    await assert.rejects(sandbox.outputs(work.id), lost);
    await sandbox.run(work);
    assert.notEqual(await readFile(join(await sandbox.outputs(work.id), "id"), "utf8"), written);
  },
);

test("outputs are discarded even while a process has a file of them open", needs("docker"), async (t) => {
  const { sandbox, task, dir } = await sandboxSetup(t);
  const work = await task(`open("/out/x", "w").write("x" * 4096)`);
  await sandbox.run(work);
  const reader = await open(join(await sandbox.outputs(work.id), "x"));
  await sandbox.discard(work.id);
  assert.equal((await reader.readFile()).length, 4096);
  await reader.close();
  assert.deepEqual(await readdir(join(dir, "state/runs")), []);
  assert.ok(!(await readFile("/proc/self/mountinfo", "utf8")).includes(dir));
});

test("the state folder can be reached through a link", needs("docker"), async (t) => {
  const { task, dir, instance } = await sandboxSetup(t);
  await mkdir(join(dir, "elsewhere"));
  await symlink(join(dir, "elsewhere"), join(dir, "link"));
  const sandbox = createSandbox({ stateDir: join(dir, "link"), instance });
  const work = await task(`open("/out/x", "w").write("x")`);
  await sandbox.run(work);
  assert.equal(await readFile(join(await sandbox.outputs(work.id), "x"), "utf8"), "x");
  await sandbox.discard(work.id);
  assert.deepEqual(await readdir(join(dir, "elsewhere/runs")), []);
  assert.ok(!(await readFile("/proc/self/mountinfo", "utf8")).includes(dir));
});

test("a discarded run leaves nothing, and discarding it again is no error", needs("docker"), async (t) => {
  const { sandbox, task, dir } = await sandboxSetup(t);
  const work = await task(`open("/out/x", "w").write("x" * 4096)`);
  await sandbox.run(work);
  await sandbox.discard(work.id);
  await assert.rejects(sandbox.outputs(work.id), lost);
  assert.deepEqual(await readdir(join(dir, "state/runs")), []);
  assert.ok(!(await readFile("/proc/self/mountinfo", "utf8")).includes(dir));
  await sandbox.discard(work.id);
});

test("a task is ended at its deadline, even when it ignores SIGTERM", needs("docker"), async (t) => {
  const { sandbox, task } = await sandboxSetup(t);
  const [polite, deaf] = await Promise.all([
    task(`import time; time.sleep(60)`, { limits: { wallSeconds: 1 } }),
    task(`import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)`, {
      limits: { wallSeconds: 1 },
    }),
  ]);
  const runs = await Promise.all([sandbox.run(polite), sandbox.run(deaf)]);
  assert.deepEqual(
    runs.map((run) => run.ended),
    ["deadline", "deadline"],
  );
  assert.ok(runs[0]!.wallSeconds < 5 && runs[1]!.wallSeconds < 30, `${runs.map((run) => run.wallSeconds)} s`);
});

test("a task that exceeds its memory is ended", needs("docker"), async (t) => {
  const { sandbox, task } = await sandboxSetup(t);
  const run = await sandbox.run(
    await task(`x = bytearray(1 << 30)\nfor i in range(0, 1 << 30, 4096): x[i] = 1`),
  );
  assert.equal(run.ended, "memory");
  assert.ok(run.peakMemoryBytes <= 256 * MIB);
});

test("a task that fills /out with bytes or with files is ended", needs("docker"), async (t) => {
  const { sandbox, task } = await sandboxSetup(t);
  const bytes = await task(`
f = open("/out/big", "wb")
try:
  while True: f.write(b"x" * 65536)
except OSError as e: print(e.errno)
`);
  const files = await task(`
try:
  for i in range(10**6): open(f"/out/{i}", "w").close()
except OSError as e: print(e.errno)
`);
  for (const work of [bytes, files]) {
    const run = await sandbox.run(work);
    assert.deepEqual([run.ended, run.log], ["disk", "28\n"]);
    await assert.rejects(sandbox.outputs(work.id), lost);
  }
});

test("an abort ends the task and removes everything of it", needs("docker"), async (t) => {
  const { sandbox, task, engine } = await sandboxSetup(t);
  const work = await task(`import time; print("up"); time.sleep(60)`);
  const abort = new AbortController();
  const running = sandbox.run(work, { signal: abort.signal, onLog: () => abort.abort() });
  await assert.rejects(running, { name: "AbortError" });
  assert.deepEqual(await engine.list({ "ichain.job": work.id }), []);
});

test("a task whose image the engine does not hold is refused", needs("docker"), async (t) => {
  const { sandbox, task } = await sandboxSetup(t);
  const work = await task("", { image: `sha256:${"0".repeat(64)}` });
  await assert.rejects(
    sandbox.run(work),
    (error) => isIchainError(error, "IMAGE_UNKNOWN") && error.class === "refused",
  );
});

test("an engine that does not exist is reported, and no state folder is created for it", async () => {
  const { createSandbox } = await import("../../src/sandbox/sandbox.ts");
  const stateDir = `/tmp/ichain-none-${randomUUID()}`;
  const sandbox = createSandbox({ stateDir, instance: "none", socketPath: "/nonexistent/docker.sock" });
  await assert.rejects(
    sandbox.probe(),
    (error) => isIchainError(error, "DOCKER_UNAVAILABLE") && error.class === "unavailable",
  );
  assert.equal(existsSync(stateDir), false);
});

test("the probe names the engine, a tier and the images by digest", needs("docker"), async (t) => {
  const { sandbox, image } = await sandboxSetup(t);
  const report = await sandbox.probe();
  assert.equal(report.engine, "docker");
  assert.ok(["runc", "userns"].includes(report.tier), report.tier);
  assert.ok(report.images.some(({ name, digest }) => name === "python-ml" && digest === image.digest));
});

test(
  "a task is measured by the engine's samples where it can have no control group of its own",
  needs("docker"),
  async (t) => {
    const real = dockerEngine({ socketPath: DEFAULT_SOCKET });
    const engine = { ...real, info: async () => ({ ...(await real.info()), cgroupDriver: "systemd" }) };
    const { sandbox, task } = await sandboxSetup(t, { engine });
    const run = await sandbox.run(
      await task(`
import time
hold = bytearray(b"x" * (64 << 20))
end = time.process_time() + 3
while time.process_time() < end: pass
`),
    );
    assert.equal(run.ended, "exit");
    assert.ok(run.cpuSeconds > 0.5 && run.cpuSeconds < 5, `${run.cpuSeconds} s`);
    assert.ok(run.peakMemoryBytes > 64 * MIB, `${run.peakMemoryBytes}`);
  },
);

/**
 * Unmounts, and waits until the kernel has closed the filesystem: a container that starts at that moment, of whatever
 * test, holds a copy of the mount until it has left the host's root.
 */
function unmount(dir: string, image: string): void {
  execFileSync("umount", [dir]);
  while (execFileSync("losetup", ["--associated", image]).length > 0);
}
