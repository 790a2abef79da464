import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { exitCodes } from "../../src/errors/entry.ts";
import { bareEnvironment, ichainRun, temporaryFolder } from "../support/binary.ts";
import { needs } from "../support/require.ts";

const binary = fileURLToPath(new URL("../../bin/ichain.js", import.meta.url));

interface Line {
  readonly by?: string;
  readonly argument?: string;
  readonly text?: string;
  readonly vote?: string;
  readonly checkpoint?: number;
  readonly runs?: readonly { by: string; argument: string; exitCode: number; checkpoint?: number }[];
  readonly metric?: { value: number };
  readonly files?: readonly string[];
  readonly error?: { code: string; message: string; details: { vote?: string; runs?: readonly object[] } };
}

/** A job of a shell script, `$1` being 0 or 1, in a folder and with a home of its own. */
function shellJob(script: string, change: { verification?: object; [field: string]: unknown } = {}) {
  const folder = temporaryFolder();
  const { verification, ...more } = change;
  const job = {
    version: 1,
    name: "shell",
    image: "python-ml",
    command: ["sh", "task.sh"],
    inputs: ["task.sh"],
    outputs: ["result"],
    resources: { memory: "64 MiB", disk: "1 MiB", time: "60s" },
    ...more,
    verification: { threshold: 0.5, ...verification },
  };
  writeFileSync(folder.join("job.yaml"), stringify(job));
  writeFileSync(folder.join("task.sh"), script);
  writeFileSync(folder.join("unlisted"), "");
  const home = folder.join("home");
  const args = ["run", "--local", folder.join("job.yaml"), "-o", folder.join("out")];
  return {
    folder,
    args,
    env: { ICHAIN_HOME: home },
    left: () => readdirSync(join(home, "local", "runs")),
    containers: () => containersOf(join(home, "local", "sandbox")),
    async run() {
      const { code, stdout, stderr } = await ichainRun([...args, "--json"], { ICHAIN_HOME: home });
      const lines = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Line);
      const log = (argument: string) =>
        lines.flatMap((line) => (line.argument === argument ? [line.text] : [])).join("");
      return { code, stderr, last: lines.at(-1)!, log };
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

function containersOf(stateDir: string): string {
  const instance = createHash("sha256").update(stateDir).digest("hex").slice(0, 12);
  const filter = `label=ichain.instance=${instance}`;
  return execFileSync("docker", ["ps", "-aq", "--filter", filter], { encoding: "utf8" });
}

const good =
  'if [ "$1" = 0 ]; then echo model > /out/result; ls /in; fi\ncat /out/result\necho "acc: 0.75"\n';

describe("a job run on its requester's own machine", needs("root", "docker"), () => {
  it("is made and measured as on the market, without a wallet or a chain, and leaves its result alone", async () => {
    using job = shellJob(good);
    const { code, last, log, stderr } = await job.run();
    assert.equal(code, 0, stderr);
    assert.deepEqual([last.vote, last.metric?.value, last.files], ["pass", 0.75, ["result"]]);
    assert.deepEqual(
      last.runs?.map(({ by, argument, exitCode }) => [by, argument, exitCode]),
      [
        ["provider", "0", 0],
        ["validator", "1", 0],
        ["validator", "1", 0],
      ],
    );
    // Only the inputs that job.yaml lists arrive.
    assert.equal(log("0"), "task.sh\nmodel\nacc: 0.75\n");
    assert.match(log("1"), /^model\nacc: 0\.75\n/);
    assert.equal(readFileSync(job.folder.join("out", "result"), "utf8"), "model\n");
    assert.deepEqual([job.left(), job.containers()], [[], ""]);
    const again = await job.run();
    assert.equal(again.last.error?.code, "TARGET_EXISTS");
  });

  it("goes on from the last checkpoint as another provider would, and says whether the task can", async () => {
    const task = (resumed: string) =>
      `if [ "$1" = 0 ]; then\n  if [ -e /in/checkpoint/2/state ]; then ${resumed}; fi\n` +
      "  for n in 1 2; do mkdir -p /out/checkpoint/$n.part; echo $n > /out/checkpoint/$n.part/state; " +
      "mv /out/checkpoint/$n.part /out/checkpoint/$n; done\n  echo model > /out/result\nfi\necho acc: 0.75\n";
    const resources = { memory: "64 MiB", disk: "1 MiB", time: "60s", checkpoint: "64 KiB" };
    using job = shellJob(task("echo on from $(cat /in/checkpoint/2/state); exit 0"), { resources });
    const { code, last, log, stderr } = await job.run();
    assert.equal(code, 0, stderr);
    assert.deepEqual([last.vote, last.checkpoint, last.runs?.[1]?.checkpoint], ["pass", 2, 2]);
    assert.match(log("0"), /^acc: 0\.75\non from 2\n$/);
    using stuck = shellJob(task("exit 4"), { resources });
    const { error } = (await stuck.run()).last;
    assert.equal(error?.code, "LOCAL_RUN_FAILED");
    assert.match(error.message, /going on from its checkpoint 2, the task exited with code 4/);
  });

  /** What is voted on has a result, which is kept. */
  for (const [what, script, change, vote, reason] of [
    ["misses its threshold", good, { verification: { threshold: 0.8 } }, "unmet", /0\.75.*0\.8/],
    ["fails", "exit 3\n", {}, undefined, /exited with code 3/],
    [
      "prints no metric",
      "touch /out/result\n",
      { verification: { mode: "replicate" } },
      undefined,
      /no metric "acc"/,
    ],
    ["leaves no output", "echo acc: 1\n", {}, undefined, /did not leave all the outputs/],
    [
      "runs out of time",
      "sleep 60\n",
      { resources: { memory: "64 MiB", disk: "1 MiB", time: "1s" } },
      undefined,
      /ran out of time/,
    ],
    [
      "cannot be measured",
      '[ "$1" = 0 ] && echo > /out/result\n',
      {},
      undefined,
      /measuring the result, the task exited with code 1/,
    ],
    [
      "measures another value each time",
      '[ "$1" = 1 ] || touch /out/result\nread up rest < /proc/uptime; echo "acc: $up"\n',
      {},
      undefined,
      /not stable/,
    ],
    [
      "prints another metric when it is repeated",
      'touch /out/result\nread up rest < /proc/uptime; echo "acc: $up"\n',
      { verification: { mode: "replicate" } },
      "fail",
      /more than the tolerance/,
    ],
    [
      "writes other bytes when it is repeated",
      "read up rest < /proc/uptime; echo $up > /out/result; echo acc: 1\n",
      { verification: { mode: "digest" } },
      "fail",
      /different files/,
    ],
  ] as const) {
    it(`that ${what} is told in a sentence, with the exit code of a failed job`, async () => {
      using job = shellJob(script, change);
      const { code, last } = await job.run();
      assert.deepEqual([code, last.error?.code], [exitCodes.failed, "LOCAL_RUN_FAILED"], last.error?.message);
      assert.equal(last.error?.details.vote, vote);
      assert.match(last.error?.message ?? "", reason);
      const made = vote !== undefined || what.includes("measure");
      assert.equal(existsSync(job.folder.join("out")), made);
      assert.deepEqual([job.left(), job.containers()], [[], ""]);
    });
  }

  it("shows the exam to the run that measures alone", async () => {
    const script = `ls /in; ${good}\n[ "$1" = 0 ] || cat /in/exam/questions\n`;
    using job = shellJob(script, { verification: { mode: "exam", inputs: ["questions"] } });
    writeFileSync(job.folder.join("questions"), "why?\n");
    const { code, log, last } = await job.run();
    assert.equal(code, 0, last.error?.message);
    assert.doesNotMatch(log("0"), /exam|why/);
    assert.match(log("1"), /exam(.|\n)*why\?/);
  });

  it("refuses an image that this machine does not hold, and a job that no policy takes", async () => {
    using unknown = shellJob(good, { image: "python-quantum" });
    assert.equal((await unknown.run()).last.error?.code, "IMAGE_UNKNOWN");
    using small = shellJob(good, { resources: { memory: "1 MiB" } });
    assert.equal((await small.run()).last.error?.code, "MEMORY_TOO_SMALL");
  });

  it("is left alone by another that begins meanwhile in the same home", async () => {
    using job = shellJob(`echo started; sleep 6; ${good}`);
    const first = spawn(process.execPath, [binary, ...job.args, "--json"], {
      env: bareEnvironment(job.env),
      stdio: ["ignore", "pipe", "ignore"],
    });
    await once(first.stdout, "data");
    first.stdout.resume();
    const args = [...job.args.slice(0, -1), job.folder.join("other")];
    const [second, [code]] = await Promise.all([ichainRun(args, job.env), once(first, "close")]);
    assert.deepEqual([second.code, code], [0, 0]);
    assert.deepEqual([job.left(), job.containers()], [[], ""]);
  });

  it("ends at Ctrl-C and leaves nothing, and the next run removes what a killed one left", async () => {
    using job = shellJob(`echo started; sleep 50\n`);
    const start = async () => {
      const child = spawn(process.execPath, [binary, ...job.args], {
        env: bareEnvironment(job.env),
        stdio: ["ignore", "pipe", "ignore"],
      });
      await once(child.stdout, "data");
      return child;
    };
    const interrupted = await start();
    interrupted.kill("SIGINT");
    assert.deepEqual(await once(interrupted, "close"), [exitCodes.interrupted, null]);
    assert.deepEqual([job.left(), job.containers(), existsSync(job.folder.join("out"))], [[], "", false]);

    const killed = await start();
    killed.kill("SIGKILL");
    await once(killed, "close");
    assert.notEqual(job.containers(), "");
    writeFileSync(job.folder.join("task.sh"), good);
    assert.equal((await job.run()).code, 0);
    assert.deepEqual([job.left(), job.containers()], [[], ""]);
  });
});
