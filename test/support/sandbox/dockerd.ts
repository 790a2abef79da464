import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { dockerEngine } from "../../../src/sandbox/engines/docker.ts";

/** A Docker engine for one test, separate from the machine's own. */
export interface Dockerd {
  readonly socketPath: string;
  /** Runs the docker command against it and returns what it printed. */
  docker(args: readonly string[], input?: Buffer): string;
  /** The same, for binary output. */
  dockerBytes(args: readonly string[]): Buffer;
  /** Runs a docker command in the background; `end` kills it and resolves with what it has printed. */
  watch(args: readonly string[]): { end(): Promise<string> };
  /** Stops the daemon (SIGSTOP) until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Ends the daemon, and with it its containers, as a service manager does, and starts it again. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Flags of an engine that only runs tasks, as `checkIsolation` requires of a swarm's node. */
export const isolatedFlags = ["--bridge=none", "--no-new-privileges"] as const;

const UP_MS = 30_000;
const PING_EVERY_MS = 50;

/** Starts an engine with these flags and waits until it answers. It is stopped when the test ends. */
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
    // Leave the machine's packet filter unchanged.
    "--iptables=false",
    "--ip-masq=false",
    "--ip-forward=false",
    "--userland-proxy=false",
  ];
  const begin = () => spawn("dockerd", [...own, ...flags], { stdio: ["ignore", log, log] });
  let daemon = begin();
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
      const printed: Buffer[] = [];
      child.stdout.on("data", (chunk: Buffer) => printed.push(chunk));
      return {
        end: () =>
          new Promise((resolve) => {
            child.once("close", () => resolve(Buffer.concat(printed).toString("utf8")));
            child.kill();
          }),
      };
    },
    freeze: () => void daemon.kill("SIGSTOP"),
    thaw: () => void daemon.kill("SIGCONT"),
    async restart() {
      await end(daemon);
      daemon = begin();
      await answers(daemon);
    },
    stop: () => stop(daemon, dir),
  };
  t.after(() => one.stop());
  const engine = dockerEngine({ socketPath, answerMs: 1000 });
  const answers = async (started: ChildProcess) => {
    for (const since = performance.now(); ; await pause(PING_EVERY_MS)) {
      if (
        await engine.ping().then(
          () => true,
          () => false,
        )
      )
        return;
      if (started.exitCode !== null || performance.now() - since > UP_MS)
        throw new Error(`dockerd did not come up:\n${readFileSync(join(dir, "log"), "utf8").slice(-2000)}`);
    }
  };
  await answers(daemon);
  return one;
}

async function end(daemon: ChildProcess): Promise<void> {
  daemon.kill("SIGCONT");
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const gone = new Promise((resolve) => daemon.once("exit", resolve));
  daemon.kill("SIGTERM");
  await gone;
}

/** Stops the daemon and its containers, and removes their mounts. */
async function stop(daemon: ChildProcess, dir: string): Promise<void> {
  await end(daemon);
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
    .filter((path) => path.startsWith(`${dir}/`));
  // Lazily, because shims of containers may still hold some of them.
  for (const path of mounts.reverse()) execFileSync("umount", ["-l", path]);
  rmSync(dir, { recursive: true, force: true });
}
