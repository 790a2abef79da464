import { mkdir, readFile, rmdir } from "node:fs/promises";
import type { Engine, EngineInfo } from "../engines/engine.ts";

/** What a run used. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
}

const ROOT = "/sys/fs/cgroup";
/** Version 1 spreads one group over a tree for each controller. */
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
 * A control group around the container's own: it is still there, with its exact counters, when the
 * container's has gone with it. Only where the engine is local and manages groups itself
 * (`cgroupfs`), and for root.
 */
export interface UsageGroup {
  /** For the container's settings. */
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
    // Busy: the engine has not yet let go of the container's group; the next sweep gets it.
    if (code !== "ENOENT" && code !== "EBUSY" && code !== "ENOTEMPTY") throw error;
  }
}

/**
 * Follows what a container uses by the engine's own samples, one a second: for where no control group
 * can be put around it (systemd manages them, or the engine is not this machine's). What happens between
 * two samples is missed.
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
  follow().catch(() => undefined); // the run does not fail for want of a measurement

  return {
    stop() {
      halt.abort();
      return { cpuSeconds, peakMemoryBytes };
    },
  };
}
