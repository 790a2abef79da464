import { mkdir, readFile, rmdir } from "node:fs/promises";
import type { Engine, EngineInfo } from "../engines/engine.ts";

/** Resources that a run used. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
}

const ROOT = "/sys/fs/cgroup";
/** Version 1 has a tree of groups for each controller. */
const V1_TREES = [
  "cpu",
  "cpuacct",
  "cpuset",
  "memory",
  "pids",
  "blkio",
  "devices",
  "freezer",
  "hugetlb",
  "net_cls",
  "net_prio",
  "perf_event",
  "rdma",
  "misc",
  "systemd",
  "unified",
];

/**
 * A control group around the container's own, which keeps its exact counters after the engine has removed the
 * container's. Only for root, with a local engine that manages groups itself (`cgroupfs`).
 */
export interface UsageGroup {
  /** `CgroupParent` of the container's settings. */
  readonly parent: string;
  create(): Promise<void>;
  read(): Promise<Usage | undefined>;
  /** Removes the group; it must be empty. */
  remove(): Promise<void>;
}

export function usageGroup(name: string, engine: EngineInfo): UsageGroup | undefined {
  if (engine.cgroupDriver !== "cgroupfs" || process.getuid?.() !== 0) return undefined;
  return engine.cgroupVersion === "1" ? groupV1(name) : groupV2(name);
}

function groupV1(name: string): UsageGroup {
  return {
    parent: `/${name}`,
    async create() {
      for (const tree of ["cpuacct", "memory"]) await mkdir(`${ROOT}/${tree}/${name}`, { recursive: true });
    },
    async read() {
      const cpu = await counter(`${ROOT}/cpuacct/${name}/cpuacct.usage`);
      const memory = await counter(`${ROOT}/memory/${name}/memory.max_usage_in_bytes`);
      if (cpu === undefined || memory === undefined) return undefined;
      return { cpuSeconds: cpu / 1e9, peakMemoryBytes: memory };
    },
    async remove() {
      for (const tree of V1_TREES) await removeGroup(`${ROOT}/${tree}/${name}`);
    },
  };
}

function groupV2(name: string): UsageGroup {
  const dir = `${ROOT}/${name}`;
  return {
    parent: `/${name}`,
    async create() {
      await mkdir(dir, { recursive: true });
    },
    async read() {
      const stat = await readFile(`${dir}/cpu.stat`, "utf8").catch(() => "");
      const micros = /^usage_usec (\d+)$/m.exec(stat)?.[1];
      const memory = await counter(`${dir}/memory.peak`); // Linux 5.19
      if (micros === undefined || memory === undefined) return undefined;
      return { cpuSeconds: Number(micros) / 1e6, peakMemoryBytes: memory };
    },
    async remove() {
      await removeGroup(dir);
    },
  };
}

async function counter(path: string): Promise<number | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  return /^\d+$/.test(text.trim()) ? Number(text) : undefined;
}

async function removeGroup(dir: string): Promise<void> {
  try {
    await rmdir(dir);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Busy while the engine has not removed the container's group yet. The next sweep removes it.
    if (code !== "ENOENT" && code !== "EBUSY" && code !== "ENOTEMPTY") throw error;
  }
}

/**
 * Measures a container by the engine's samples, one a second, where `usageGroup` cannot: systemd manages the groups,
 * or the engine is on another machine. Peaks between two samples are missed.
 */
export function sampleUsage(engine: Engine, container: string): { stop(): Usage } {
  const halt = new AbortController();
  let [cpuSeconds, peakMemoryBytes] = [0, 0];

  async function follow(): Promise<void> {
    for await (const sample of engine.samples(container, { signal: halt.signal })) {
      cpuSeconds = Math.max(cpuSeconds, sample.cpuSeconds);
      peakMemoryBytes = Math.max(peakMemoryBytes, sample.memoryBytes);
    }
  }
  follow().catch(() => undefined); // a run does not fail because it could not be measured

  return {
    stop() {
      halt.abort();
      return { cpuSeconds, peakMemoryBytes };
    },
  };
}
