import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statfsSync } from "node:fs";

/** What a task could leave of itself on the machine. */
export interface HostState {
  readonly containers: readonly string[];
  readonly volumes: readonly string[];
  readonly networks: readonly string[];
  readonly mounts: readonly string[];
  readonly groups: readonly string[];
  readonly availableBytes: number;
  readonly processes: number;
  readonly freeDiskBytes: number;
}

/** `mark` is in the name of everything that this test process makes. */
export function hostState(mark: string): HostState {
  const docker = (...args: string[]) =>
    execFileSync("docker", args, { encoding: "utf8", timeout: 20_000 }).split("\n").filter(Boolean);
  const disk = statfsSync("/var/lib/docker");
  return {
    containers: docker("ps", "-a", "--format", "{{.Names}}").filter((name) => name.includes(mark)),
    volumes: docker("volume", "ls", "-q"),
    networks: docker("network", "ls", "--format", "{{.Name}}"),
    mounts: lines("/proc/self/mountinfo").filter((line) => line.includes("ichain-sandbox-")),
    groups: readdirSync("/sys/fs/cgroup/memory").filter((name) => name.includes(mark)),
    availableBytes: Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]) * 1024,
    processes: readdirSync("/proc").filter((name) => /^\d+$/.test(name)).length,
    freeDiskBytes: disk.bavail * disk.bsize,
  };
}

function lines(path: string): string[] {
  return readFileSync(path, "utf8").split("\n");
}
