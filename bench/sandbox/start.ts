import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { containerSettings } from "../../src/sandbox/policy.ts";
import { chooseRuntime } from "../../src/sandbox/runtimes/choose.ts";
import { type Box, median, round } from "./box.ts";

const PAIRS = 31;

/**
 * Seconds from the call to its return, for a task that does nothing. What it takes afterwards to give back
 * the disk of its outputs, which a container without such a disk has no counterpart for, is told beside.
 */
export async function measureStart(box: Box) {
  const [ours, discards, plain]: [number[], number[], number[]] = [[], [], []];
  const flags = await dockerFlags(box);
  for (let i = 0; i < PAIRS; i++) {
    const task = box.task(["/bin/true"]);
    const { seconds, discardSeconds } = await box.run(task);
    ours.push(seconds);
    discards.push(discardSeconds);
    const begin = performance.now();
    execFileSync("docker", flags, { stdio: "ignore" });
    plain.push((performance.now() - begin) / 1000);
  }
  const [ichain, docker] = [median(ours), median(plain)];
  return {
    pairs: PAIRS,
    ichain_s: round(ichain),
    discard_s: round(median(discards)),
    docker_run_s: round(docker),
    ratio: round(ichain / docker),
  };
}

/** The sandbox's own settings as `docker run` takes them, with a plain folder for /out. */
async function dockerFlags(box: Box): Promise<string[]> {
  const out = join(box.folder, "plain-out");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { mode: 0o777 });
  const task = box.task(["/bin/true"]);
  const settings = containerSettings(task, {
    instance: "plain",
    imageId: box.held.id,
    limits: task.limits,
    outDir: out,
    runtime: chooseRuntime(await box.engine.info(), "runc"),
    cgroupParent: undefined,
    deadline: 0,
  });
  const { HostConfig: host } = settings;
  const profile = join(box.folder, "seccomp.json");
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
