import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { SandboxTask } from "../../src/ports/sandbox.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { needs } from "../support/require.ts";
import { MIB, sandboxSetup } from "./support.ts";

const daemon = fileURLToPath(new URL("./killed-daemon.ts", import.meta.url));

/** Moment at which the daemon is killed → what the next daemon does with the run. */
const moments = [
  ["before create", "starts it"],
  ["after create", "starts it"],
  ["after output", "starts it"],
  ["before start", "starts it"],
  ["after start", "follows it"],
  ["at output", "follows it"],
  ["after ended", "judges it"],
  ["before inspect", "judges it"],
  ["while recording", "judges it"],
  ["before remove", "has its record"],
  ["after remove", "has its record"],
] as const;

const program = `
import time, uuid
name = str(uuid.uuid4())
print(name)
time.sleep(1)
open("/out/name", "w").write(name)
open("/out/weights", "wb").write(b"w" * (4 << 20))
print("acc: 0.5")
`;

test(
  "the next daemon finishes a run whose daemon was killed, whatever the moment",
  needs("docker"),
  async (t) => {
    for (const [moment, expected] of moments) {
      const { task, dir, instance, engine } = await sandboxSetup(t);
      const work = await task(program);
      const options = { stateDir: join(dir, "state"), instance, task: work, moment };
      const before = await runUntilKilled(options);
      const starts = await startsOf(instance, async () => {
        const sandbox = createSandbox({ stateDir: options.stateDir, instance });
        const run = await sandbox.run(work);
        assert.deepEqual([run.ended, run.exitCode], ["exit", 0], moment);
        const outputs = await sandbox.outputs(work.id);
        const name = await readFile(join(outputs, "name"), "utf8");
        assert.equal(run.log, `${name}\nacc: 0.5\n`, moment);
        assert.equal(readFileSync(join(outputs, "weights")).length, 4 * MIB);
        const same = before === "" || before.startsWith(name);
        assert.equal(same, true, `${moment}: ran again although it had run`);
        await sandbox.sweep(new Set());
      });
      assert.equal(starts, expected === "starts it" ? 1 : 0, `${moment}: ${expected}`);
      assert.deepEqual(await engine.list({ "ichain.instance": instance }), []);
      assert.ok(!readFileSync("/proc/self/mountinfo", "utf8").includes(dir), `${moment}: a mount is left`);
      const groups = globSync([`*${instance}-*`, `*/*${instance}-*`], { cwd: "/sys/fs/cgroup" });
      assert.deepEqual(groups, [], moment);
      t.diagnostic(`kill -9 ${moment.padEnd(18)} → the next daemon ${expected}, and nothing is left`);
    }
  },
);

test("discarding ends a run that a killed daemon has left", needs("docker"), async (t) => {
  const { task, dir, instance, engine } = await sandboxSetup(t);
  const work = await task(`import time; print("up"); time.sleep(60)`);
  const stateDir = join(dir, "state");
  await runUntilKilled({ stateDir, instance, task: work, moment: "at output" });
  await createSandbox({ stateDir, instance }).discard(work.id);
  assert.deepEqual(await engine.list({ "ichain.instance": instance }), []);
  assert.deepEqual(readdirSync(join(stateDir, "runs")), []);
  assert.ok(!readFileSync("/proc/self/mountinfo", "utf8").includes(dir));
});

/** Runs a daemon until it is killed, and returns what its task had printed by then. */
async function runUntilKilled(options: {
  stateDir: string;
  instance: string;
  task: SandboxTask;
  moment: string;
}): Promise<string> {
  const child = spawn(process.execPath, [daemon, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.on("data", (chunk) => (printed += chunk));
  const [, signal] = await once(child, "close");
  assert.equal(signal, "SIGKILL", options.moment);
  return printed;
}

/** Number of containers of `instance` that the engine starts during `act`. */
async function startsOf(instance: string, act: () => Promise<void>): Promise<number> {
  const args = [
    "events",
    "--filter",
    "event=start",
    "--filter",
    `label=ichain.instance=${instance}`,
    "--format",
    "{{.ID}}",
  ];
  const since = String(Math.floor(Date.now() / 1000) - 1);
  const earlier = await eventsBetween(args, since, new Date());
  await act();
  return (await eventsBetween(args, since, new Date())).length - earlier.length;
}

async function eventsBetween(args: readonly string[], since: string, until: Date): Promise<string[]> {
  const child = spawn("docker", [...args, "--since", since, "--until", until.toISOString()], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk) => (text += chunk));
  await once(child, "close");
  return text.split("\n").filter(Boolean);
}
