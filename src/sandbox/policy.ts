import { createHash } from "node:crypto";
import { IchainError } from "../errors/error.ts";
import type { Limits, SandboxTask } from "../ports/sandbox.ts";
import { commandProblem } from "../protocol/policy/resources.ts";
import { taskEnvironment } from "./environment.ts";
import type { GpuNodes } from "./gpus/gpu-devices.ts";
import seccomp from "./seccomp.json" with { type: "json" };

/** Keys of the labels on every container that ichain creates. */
export const labels = {
  job: "ichain.job",
  instance: "ichain.instance",
  deadline: "ichain.deadline",
  /** Cap on /out, bytes. */
  disk: "ichain.disk",
} as const;

/** Time between SIGTERM and SIGKILL, seconds. */
export const GRACE_SECONDS = 5;
/** The deadline inside the container is later than the one outside by this much: ichain can report more about its own. */
const INSIDE_SLACK_SECONDS = 3;

/** Docker's own list, and further files that describe the host and that no task needs. */
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
  /** Its name in the engine; undefined for the engine's default. */
  readonly name: string | undefined;
  /** Threads of the runtime's own kernel, which the engine counts against the limit on the task's processes. */
  readonly ownPids: number;
  /** Path in the image of the program that ends a task at its deadline. */
  readonly deadline: string;
}

/** What this machine decides about a run. Nothing in it comes from the job. */
export interface Placement {
  readonly instance: string;
  /** The engine's id of an image that was looked up by digest. */
  readonly imageId: string;
  /** Where the image has its programs, if it says so. */
  readonly imagePath?: string | undefined;
  /** As `tighten` returned them. */
  readonly limits: Limits;
  /** Host folder mounted writable at /out, a filesystem with the cap as its size; undefined in an evaluating run. */
  readonly outDir: string | undefined;
  readonly runtime: OciRuntime;
  /** Parent of the container's control group; undefined for the engine's default. */
  readonly cgroupParent: string | undefined;
  /** What is bound for the task's GPUs; absent where the engine's toolkit does that. */
  readonly gpuNodes?: GpuNodes | undefined;
  /** The image's own LD_LIBRARY_PATH. */
  readonly imageLibraries?: string | undefined;
  /** Unix seconds. */
  readonly deadline: number;
}

export type ContainerSettings = ReturnType<typeof containerSettings>;

/**
 * The settings of a task's container, in the fields of Docker's API (POST /containers/create). Pure. The job
 * decides only the command, the GPUs reserved for it, and limits below this machine's.
 * @throws TASK_INVALID when the id, the command or a GPU's UUID is malformed
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
    WorkingDir: "/in", // not the image's own, which could be a path through /proc (CVE-2024-21626)
    // The deadline inside the container ends the task when ichain and the engine are not running. It is process 1,
    // which the task can neither kill nor stop; with an init as process 1 it could. Orphans that it does not reap
    // count against the task's own limit on processes only.
    Entrypoint: [
      place.runtime.deadline,
      "--signal=TERM",
      `--kill-after=${GRACE_SECONDS}`,
      String(limits.wallSeconds + INSIDE_SLACK_SECONDS),
    ],
    Cmd: [...checkedCommand(task)],
    Env: [...taskEnvironment(limits, task.gpus, place.imagePath), ...libraryPath(task, place)],
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
      MemorySwap: limits.memoryBytes, // memory and swap together: no swap
      NanoCpus: Math.round(limits.cpus * 1e9),
      PidsLimit: limits.pids + place.runtime.ownPids,
      OomScoreAdj: 500, // when the host runs out of memory, the kernel kills the task before the daemon
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
      ...gpuAccess(task, place),
      ...(place.runtime.name === undefined ? {} : { Runtime: place.runtime.name }),
      ...(place.cgroupParent === undefined ? {} : { CgroupParent: place.cgroupParent }),
    },
  };
}

/**
 * The name of a run's container: the same for the same run, so that it is found again after a crash.
 * @throws TASK_INVALID when the instance or the id is not 1 to 100 letters, digits, `_`, `.`, `-`
 */
export function containerName(instance: string, id: string): string {
  return `ichain-${checkedName(instance)}-${checkedName(id)}`;
}

/**
 * The task's user id, 50,000 to 64,999: above the users of the machine, and below 65,536, where a remapped user
 * namespace ends. Derived from the run's id, so that two tasks rarely share the kernel's limits per user (message
 * queues, inotify watches, pending signals).
 */
export function uidOf(id: string): number {
  return 50_000 + (createHash("sha256").update(id).digest().readUInt32BE(0) % 15_000);
}

/** Bytes of the engine's log file. Twice the limit, because JSON adds to each line and a rotation must not lose the last ones. */
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
    ...(task.dataDir === undefined ? [] : [bound(task.dataDir, "/in/data", true)]),
    ...(out === undefined ? [] : [bound(out, "/out", place.outDir === undefined)]),
    ...nodesOf(task, place).libraries.map(({ source, name }) =>
      bound(source, `${DRIVER_LIBRARIES}/${name}`, true),
    ),
  ];
}

/** Where a task finds the driver's libraries without a toolkit: in the usual CUDA images' own search path. */
const DRIVER_LIBRARIES = "/usr/local/nvidia/lib64";

function nodesOf(task: SandboxTask, { gpuNodes }: Placement): GpuNodes {
  return task.gpus.length > 0 && gpuNodes !== undefined ? gpuNodes : { devices: [], libraries: [] };
}

function libraryPath(task: SandboxTask, place: Placement): string[] {
  if (nodesOf(task, place).libraries.length === 0) return [];
  const { imageLibraries } = place;
  return [`LD_LIBRARY_PATH=${[DRIVER_LIBRARIES, ...(imageLibraries ? [imageLibraries] : [])].join(":")}`];
}

/** The GPUs of a task: asked of the toolkit by UUID, or as device nodes, without the right to make further ones. */
function gpuAccess(task: SandboxTask, place: Placement) {
  if (task.gpus.length === 0) return {};
  if (place.gpuNodes === undefined)
    return {
      DeviceRequests: [
        { Driver: "nvidia", DeviceIDs: [...task.gpus], Capabilities: [["gpu", "compute", "utility"]] },
      ],
    };
  const node = (path: string) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: "rw" });
  return { Devices: place.gpuNodes.devices.map(node) };
}

function ulimit(name: string, value: number) {
  return { Name: name, Soft: value, Hard: value };
}

function checkedName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(name)) return name;
  throw invalid(`${JSON.stringify(name.slice(0, 100))} is not a valid name for a run.`);
}

/** UUID of an NVIDIA GPU, or of a slice of one (MIG), as the driver names it. */
export const GPU_UUID = /^(GPU|MIG)-[0-9A-Fa-f-]{8,80}$/;

function checkedCommand(task: SandboxTask): readonly string[] {
  const problem = commandProblem(task.command);
  if (problem !== undefined) throw invalid(`The task's ${problem}.`);
  if (task.gpus.some((uuid) => !GPU_UUID.test(uuid))) throw invalid("A GPU must be named by its UUID.");
  return task.command;
}

function invalid(message: string): IchainError {
  return new IchainError("TASK_INVALID", message);
}
