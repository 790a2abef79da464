import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { dockerEngine } from "../../../src/sandbox/engines/docker.ts";

/** A Docker engine of the test's own, beside the machine's and touching nothing of it. */
export interface Dockerd {
  readonly socketPath: string;
  /** Runs the docker program against it and returns what it printed. */
  docker(args: readonly string[], input?: Buffer): string;
  /** The same, for output that is no text. */
  dockerBytes(args: readonly string[]): Buffer;
  /** Runs it in the background, until `end` resolves with what it has printed. */
  watch(args: readonly string[]): { end(): Promise<string> };
  /** Stops answering, and everything else, until it is thawed. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** How a swarm's node, or an engine that only runs tasks, is to be set up: see `checkWalls`. */
export const isolatedFlags = ["--bridge=none", "--no-new-privileges"] as const;

const UP_MS = 30_000;
const ASK_MS = 50;

/** Starts an engine with these flags and waits until it answers; it is gone when the test ends. */
export async function startDockerd(
  t: Pick<TestContext, "after">,
  flags: readonly string[] = isolatedFlags,
): Promise<Dockerd> {
  const dir = mkdtempSync(join(tmpdir(), "ichain-dockerd-"));
  const socketPath = join(dir, "docker.sock");
  const log = openSync(join(dir, "log"), "w");
  const own = [
    `--data-root=${dir}/data`,
    `--exec-root=${dir}/exec`,
    `--pidfile=${dir}/pid`,
    `--host=unix://${socketPath}`,
    // The machine's packet filter stays as it is.
    "--iptables=false",
    "--ip-masq=false",
    "--ip-forward=false",
    "--userland-proxy=false",
  ];
  const daemon = spawn("dockerd", [...own, ...flags], { stdio: ["ignore", log, log] });
  const run = (args: readonly string[], input?: Buffer) =>
    execFileSync("docker", ["-H", `unix://${socketPath}`, ...args], {
      timeout: 60_000,
      maxBuffer: 1 << 28,
      stdio: [input ? "pipe" : "ignore", "pipe", "pipe"],
      ...(input ? { input } : {}),
    });
  const one: Dockerd = {
    socketPath,
    docker: (args, input) => run(args, input).toString("utf8").trim(),
    dockerBytes: (args) => run(args),
    watch(args) {
      const child = spawn("docker", ["-H", `unix://${socketPath}`, ...args], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      const said: Buffer[] = [];
      child.stdout.on("data", (chunk: Buffer) => said.push(chunk));
      return {
        end: () =>
          new Promise((resolve) => {
            child.once("close", () => resolve(Buffer.concat(said).toString("utf8")));
            child.kill();
          }),
      };
    },
    freeze: () => void daemon.kill("SIGSTOP"),
    thaw: () => void daemon.kill("SIGCONT"),
    stop: () => stop(daemon, dir),
  };
  t.after(() => one.stop());
  const engine = dockerEngine({ socketPath, answerMs: 1000 });
  for (const begin = performance.now(); ; await pause(ASK_MS)) {
    if (
      await engine.ping().then(
        () => true,
        () => false,
      )
    )
      return one;
    if (daemon.exitCode !== null || performance.now() - begin > UP_MS)
      throw new Error(`dockerd did not come up:\n${readFileSync(join(dir, "log"), "utf8").slice(-2000)}`);
  }
}

/** Ends its containers with it, and leaves no mount behind. */
async function stop(daemon: ChildProcess, dir: string): Promise<void> {
  daemon.kill("SIGCONT");
  if (daemon.exitCode === null && daemon.signalCode === null) {
    const gone = new Promise((resolve) => daemon.once("exit", resolve));
    daemon.kill("SIGTERM");
    await gone;
  }
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
    .filter((path) => path.startsWith(`${dir}/`));
  // Shims of containers hold some of them for a moment more.
  for (const path of mounts.reverse()) execFileSync("umount", ["-l", path]);
  rmSync(dir, { recursive: true, force: true });
}
