import { execFileSync } from "node:child_process";
import { globSync, readdirSync, readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout as pause } from "node:timers/promises";

/** What a task could leave on the machine: things by name, and used space in bytes. */
export interface HostState {
  readonly things: ReadonlySet<string>;
  readonly spaces: readonly { readonly name: string; readonly free: number; readonly slack: number }[];
}

const MIB = 2 ** 20;
/** Allowance for logs and the engine's caches. A leftover disk or memory bomb is far larger. */
const DISK_SLACK = 48 * MIB;
const MEMORY_SLACK = 256 * MIB;
/** Allowance for shared memory and tmpfs, which little else here uses. */
const SHARED_SLACK = 16 * MIB;
/** Range of `uidOf` in src/sandbox/policy.ts. */
const [FIRST_UID, LAST_UID] = [50_000, 64_999];
/** Programs that an engine starts for a container, and that would stay with a leftover one. */
const RUNTIMES = /^(containerd-shim.*|runc|runsc.*)$/;

/** Time for the kernel and the engine to release what a container used. */
const SETTLE_MS = 15_000;
const POLL_MS = 250;

/** The state of the machine; `mark` is in the name of everything that this test process creates. */
export function hostState(mark: string): HostState {
  const marked = (names: readonly string[]) => names.filter((name) => name.includes(mark));
  const containers = docker("ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}}");
  const others = containers.filter((one) => !one.includes(mark)).map((one) => one.split(" ")[0]!);
  const found = {
    container: marked(containers),
    volume: docker("volume", "ls", "-q"),
    network: docker("network", "ls", "--format", "{{.Name}}"),
    mount: marked(lines("/proc/self/mountinfo")),
    // A tree for each controller in version 1, one tree in version 2.
    group: globSync([`*${mark}*`, `*/*${mark}*`], { cwd: "/sys/fs/cgroup" }),
    // Includes devices of deleted files.
    loop: marked(
      readdirSync("/sys/block").map((name) => text(`/sys/block/${name}/loop/backing_file`).trim()),
    ),
    folder: marked(readdirSync(tmpdir())),
    process: processes(others),
  };
  return {
    things: new Set(Object.entries(found).flatMap(([kind, names]) => names.map((name) => `${kind} ${name}`))),
    spaces: spaces(),
  };
}

/** What is on the machine now and was not before, after up to `SETTLE_MS` for its removal. */
export async function leftSince(before: HostState, mark: string): Promise<string[]> {
  for (const begin = performance.now(); ; await pause(POLL_MS)) {
    const { things, spaces } = hostState(mark);
    const left = [...things].filter((thing) => !before.things.has(thing));
    for (const [i, { name, free, slack }] of spaces.entries()) {
      const taken = before.spaces[i]!.free - free;
      if (taken > slack) left.push(`${Math.round(taken / MIB)} MiB of ${name}`);
    }
    if (left.length === 0 || performance.now() - begin > SETTLE_MS) return left;
  }
}

/** Processes of tasks, by their user ids or as runtimes of containers, except those of the containers `others`. */
function processes(others: readonly string[]): string[] {
  return globSync("/proc/[0-9]*").flatMap((dir) => {
    const [status, words, groups] = [text(`${dir}/status`), text(`${dir}/cmdline`), text(`${dir}/cgroup`)];
    const users = /^Uid:\s(.+)$/m.exec(status)?.[1]?.split("\t").map(Number) ?? [];
    const command = words.split("\0")[0]!;
    const ofTask = users.some((uid) => uid >= FIRST_UID && uid <= LAST_UID);
    if (!ofTask && !RUNTIMES.test(command.split("/").at(-1)!)) return [];
    if (others.some((id) => words.includes(id) || groups.includes(id))) return [];
    return [`${dir} of user ${users[0]}: ${command || /^Name:\s(.+)$/m.exec(status)?.[1]}`];
  });
}

function spaces(): HostState["spaces"] {
  const free = (dir: string) => {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize;
  };
  const [root = "/"] = docker("info", "--format", "{{.DockerRootDir}}");
  const memory = text("/proc/meminfo");
  const meminfo = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(memory)?.[1]) * 1024;
  // Add the memory of this process, whose growth is not the tasks'.
  const available = meminfo("MemAvailable") + process.memoryUsage.rss();
  return [
    { name: "the disk of the runs", free: free(tmpdir()), slack: DISK_SLACK },
    { name: "the engine's disk", free: free(root), slack: DISK_SLACK },
    { name: "memory", free: available, slack: MEMORY_SLACK },
    { name: "shared memory", free: -meminfo("Shmem"), slack: SHARED_SLACK },
  ];
}

function docker(...args: string[]): string[] {
  return execFileSync("docker", args, { encoding: "utf8", timeout: 20_000 }).split("\n").filter(Boolean);
}

function lines(path: string): string[] {
  return text(path).split("\n");
}

/** Content of a file; empty when it does not exist any more. */
function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
