import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { containerSettings } from "../../src/sandbox/policy.ts";
import { chooseRuntime } from "../../src/sandbox/runtimes/choose.ts";
import { median, round, type SandboxSetup } from "./setup.ts";

/**
 * Seconds from the call to its return for a task that ends at once. Discarding the disk of its outputs afterwards is
 * reported separately, because a plain container has no such disk.
 */
export async function measureStart(setup: SandboxSetup, command: readonly string[], pairs: number) {
  const [ours, discards, plain]: [number[], number[], number[]] = [[], [], []];
  const flags = await dockerFlags(setup, command);
  // The first of each reads the image from disk.
  for (let i = -1; i < pairs; i++) {
    const task = setup.task(command);
    const { seconds, discardSeconds } = await setup.run(task);
    const begin = performance.now();
    execFileSync("docker", flags, { stdio: "ignore" });
    const plainSeconds = (performance.now() - begin) / 1000;
    if (i < 0) continue;
    ours.push(seconds);
    discards.push(discardSeconds);
    plain.push(plainSeconds);
  }
  const [ichain, docker] = [median(ours), median(plain)];
  return {
    pairs,
    ichain_s: round(ichain),
    discard_s: round(median(discards)),
    docker_run_s: round(docker),
    ratio: round(ichain / docker),
  };
}

/** The sandbox's settings as flags of `docker run`, with a plain folder for /out. */
async function dockerFlags(setup: SandboxSetup, command: readonly string[]): Promise<string[]> {
  const out = join(setup.folder, "plain-out");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { mode: 0o777 });
  const task = setup.task(command);
  const settings = containerSettings(task, {
    instance: "plain",
    imageId: setup.held.id,
    limits: task.limits,
    outDir: out,
    runtime: chooseRuntime(await setup.engine.info(), "runc"),
    cgroupParent: undefined,
    deadline: 0,
  });
  const { HostConfig: host } = settings;
  const profile = join(setup.folder, "seccomp.json");
  writeFileSync(profile, host.SecurityOpt[1]!.slice("seccomp=".length));
  return [
    "run",
    "--rm",
    "--network=none",
    "--read-only",
    "--cap-drop=ALL",
    "--ipc=private",
    "--cgroupns=private",
    "--security-opt=no-new-privileges",
    `--security-opt=seccomp=${profile}`,
    `--user=${settings.User}`,
    `--hostname=${settings.Hostname}`,
    `--workdir=${settings.WorkingDir}`,
    `--memory=${host.Memory}`,
    `--memory-swap=${host.MemorySwap}`,
    `--cpus=${host.NanoCpus / 1e9}`,
    `--pids-limit=${host.PidsLimit}`,
    `--shm-size=${host.ShmSize}`,
    `--oom-score-adj=${host.OomScoreAdj}`,
    `--tmpfs=/tmp:${host.Tmpfs["/tmp"]}`,
    "--no-healthcheck",
    `--log-opt=max-size=${host.LogConfig.Config["max-size"]}`,
    "--log-opt=max-file=2",
    ...host.Ulimits.map(({ Name, Hard }) => `--ulimit=${Name}=${Hard}`),
    ...host.Mounts.map(
      ({ Source, Target, ReadOnly }) => `--volume=${Source}:${Target}:${ReadOnly ? "ro" : "rw"}`,
    ),
    ...settings.Env.map((entry) => `--env=${entry}`),
    `--entrypoint=${settings.Entrypoint[0]}`,
    settings.Image,
    ...settings.Entrypoint.slice(1),
    ...settings.Cmd,
  ];
}
