import { createHash } from "node:crypto";
import { IchainError } from "../errors/error.ts";
import type { Limits, SandboxTask } from "../ports/sandbox.ts";
import { commandProblem } from "../protocol/policy/resources.ts";
import { taskEnvironment } from "./environment.ts";
import seccomp from "./seccomp.json" with { type: "json" };

/** Label keys of every container that ichain creates. */
export const labels = {
  job: "ichain.job",
  instance: "ichain.instance",
  deadline: "ichain.deadline",
  /** Bytes that /out may hold. */
  disk: "ichain.disk",
} as const;

/** Seconds that a task has to obey SIGTERM before SIGKILL. */
export const GRACE_SECONDS = 5;
/** The deadline inside comes this much later than the one outside, which can say more about it. */
const INSIDE_SLACK_SECONDS = 3;

/** Hidden beyond Docker's own list: what describes the host and no task needs. */
const maskedPaths = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/cmdline",
  "/proc/interrupts",
  "/proc/kallsyms",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/modules",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/dmi",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
];
const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** How tasks are started. */
export interface OciRuntime {
  /** For the engine; its default when undefined. */
  readonly name: string | undefined;
  /** Threads of the sandbox's own kernel, which the engine counts with the task's. */
  readonly ownPids: number;
  /** Program in the image that ends a task at its deadline. */
  readonly deadline: string;
}

/** What this machine decides about a run; nothing here comes from the job. */
export interface Placement {
  readonly instance: string;
  /** The engine's id of an image that was looked up by digest. */
  readonly imageId: string;
  /** Already tightened. */
  readonly limits: Limits;
  /** Host folder behind a writable /out: a filesystem of its own with the cap. */
  readonly outDir: string | undefined;
  readonly runtime: OciRuntime;
  /** Control group that the container's is created in, or the engine's default. */
  readonly cgroupParent: string | undefined;
  /** Unix seconds. */
  readonly deadline: number;
}

export type ContainerSettings = ReturnType<typeof containerSettings>;

/**
 * Turns a task into the settings of its container, in the words of Docker's API. Pure. The job decides
 * only the command, and the limits below this machine's; all the rest is fixed here.
 */
export function containerSettings(task: SandboxTask, place: Placement) {
  const { limits } = place;
  const uid = uidOf(task.id);
  const tmpBytes = Math.ceil(limits.memoryBytes / 2);
  const shmBytes = Math.ceil(limits.memoryBytes / 4);
  return {
    Image: place.imageId,
    User: `${uid}:${uid}`,
    Hostname: "task",
    WorkingDir: "/in", // the image's own could be a path through /proc (CVE-2024-21626)
    // The deadline inside: it holds when ichain and the engine are gone. As process 1 it can neither be
    // killed nor stopped by the task, which an init in front of it would allow; orphans that it does
    // not reap count against the pids limit only.
    Entrypoint: [
      place.runtime.deadline,
      "--signal=TERM",
      `--kill-after=${GRACE_SECONDS}`,
      String(limits.wallSeconds + INSIDE_SLACK_SECONDS),
    ],
    Cmd: [...checkedCommand(task)],
    Env: taskEnvironment(limits, task.gpus),
    Labels: {
      [labels.job]: task.id,
      [labels.instance]: place.instance,
      [labels.deadline]: String(place.deadline),
      [labels.disk]: String(limits.diskBytes),
    },
    Healthcheck: { Test: ["NONE"] },
    StopSignal: "SIGTERM",
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: false,
    Tty: false,
    HostConfig: {
      NetworkMode: "none",
      ReadonlyRootfs: true,
      Privileged: false,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges", `seccomp=${JSON.stringify(seccomp)}`],
      IpcMode: "private",
      CgroupnsMode: "private" as const,
      MaskedPaths: maskedPaths,
      ReadonlyPaths: readonlyPaths,
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes, // the same: no swap on top
      NanoCpus: Math.round(limits.cpus * 1e9),
      PidsLimit: limits.pids + place.runtime.ownPids,
      OomScoreAdj: 500, // when the host runs out, the task goes first, not the daemon
      ShmSize: shmBytes,
      Tmpfs: { "/tmp": `rw,exec,nosuid,nodev,mode=1777,size=${tmpBytes},nr_inodes=65536` },
      Ulimits: [
        ulimit("core", 0),
        ulimit("nofile", 8192),
        ulimit("fsize", Math.max(limits.diskBytes, tmpBytes, shmBytes)),
        ulimit("memlock", 64 * 1024),
        ulimit("msgqueue", 64 * 1024),
        ulimit("sigpending", limits.pids * 4),
        ulimit("rtprio", 0),
        ulimit("nice", 0),
      ],
      Mounts: mounts(task, place),
      LogConfig: {
        Type: "json-file",
        Config: { "max-size": String(engineLogBytes(limits)), "max-file": "2" },
      },
      RestartPolicy: { Name: "no" as const },
      AutoRemove: false,
      PublishAllPorts: false,
      ...(task.gpus.length > 0 ? { DeviceRequests: [gpuRequest(task.gpus)] } : {}),
      ...(place.runtime.name === undefined ? {} : { Runtime: place.runtime.name }),
      ...(place.cgroupParent === undefined ? {} : { CgroupParent: place.cgroupParent }),
    },
  };
}

/** The container's name; the same for the same task, so that a run is found again. */
export function containerName(instance: string, id: string): string {
  return `ichain-${checkedName(instance)}-${checkedName(id)}`;
}

/**
 * An unprivileged user for the task, far from the machine's own and below 65536, where user-namespace
 * remapping ends. Tasks rarely share one, so that what the kernel counts per user (queues, watches,
 * pending signals) one task does not use up for another.
 */
export function uidOf(id: string): number {
  return 50_000 + (createHash("sha256").update(id).digest().readUInt32BE(0) % 15_000);
}

/** JSON wraps each line in its own bytes; leave room so that the last lines survive a rotation. */
function engineLogBytes(limits: Limits): number {
  return Math.max(2 ** 20, limits.logBytes * 2);
}

function mounts(task: SandboxTask, place: Placement) {
  const bound = (source: string, target: string, readOnly: boolean) => ({
    Type: "bind" as const,
    Source: source,
    Target: target,
    ReadOnly: readOnly,
    BindOptions: { Propagation: "rprivate" as const },
  });
  const out = place.outDir ?? task.resultDir;
  return [
    bound(task.inputDir, "/in", true),
    ...(out === undefined ? [] : [bound(out, "/out", place.outDir === undefined)]),
  ];
}

function gpuRequest(uuids: readonly string[]) {
  return { Driver: "nvidia", DeviceIDs: [...uuids], Capabilities: [["gpu", "compute", "utility"]] };
}

function ulimit(name: string, value: number) {
  return { Name: name, Soft: value, Hard: value };
}

function checkedName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(name)) return name;
  throw invalid(`${JSON.stringify(name.slice(0, 100))} is no name for a run.`);
}

const GPU_UUID = /^(GPU|MIG)-[0-9A-Fa-f-]{8,80}$/;

function checkedCommand(task: SandboxTask): readonly string[] {
  const problem = commandProblem(task.command);
  if (problem !== undefined) throw invalid(`The task's ${problem}.`);
  if (task.gpus.some((uuid) => !GPU_UUID.test(uuid))) throw invalid("A GPU is named by its UUID only.");
  return task.command;
}

function invalid(message: string): IchainError {
  return new IchainError(message, {
    code: "TASK_INVALID",
    class: "refused",
    hint: "The job's spec cannot be run by anybody; release the job.",
  });
}
