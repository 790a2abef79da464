import { lstat, readdir, readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { IchainError } from "../../errors/error.ts";
import type { GpuWay } from "../../protocol/machine/gpus.ts";

/** What a container is given of GPUs where no toolkit is installed. */
export interface GpuNodes {
  /** Absolute paths of character devices. */
  readonly devices: readonly string[];
  /** The driver's libraries: the file on this machine, and the name that programs load. */
  readonly libraries: readonly { readonly source: string; readonly name: string }[];
}

/** Where the driver's parts are. */
export interface DriverPlaces {
  readonly proc: string;
  readonly dev: string;
  readonly libraries: readonly string[];
  /** Programs that the toolkit installs. */
  readonly toolkit: readonly string[];
}

const driverPlaces: DriverPlaces = {
  proc: "/proc/driver/nvidia/gpus",
  dev: "/dev",
  libraries: [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/nvidia/lib64",
  ],
  toolkit: ["/usr/bin/nvidia-container-runtime-hook", "/usr/bin/nvidia-container-cli"],
};

/** Nodes that every task with a GPU needs, beside that of the GPU itself. */
const SHARED_NODES = ["nvidiactl", "nvidia-uvm"] as const;

/** The driver's libraries that compute needs, and no other: nothing of graphics, video or display. */
const LIBRARIES = [
  { name: "libcuda.so.1", required: true },
  { name: "libnvidia-ml.so.1", required: false },
  { name: "libnvidia-ptxjitcompiler.so.1", required: false },
  { name: "libnvidia-nvvm.so.4", required: false },
  { name: "libnvidia-gpucomp.so", required: false },
] as const;

/** Whether NVIDIA's container toolkit is there for an engine with these runtimes. */
async function hasToolkit(runtimes: readonly string[], { toolkit }: DriverPlaces): Promise<boolean> {
  if (runtimes.includes("nvidia")) return true;
  const found = await Promise.all(toolkit.map((path) => stat(path).catch(() => undefined)));
  return found.some((file) => file?.isFile());
}

/**
 * The way in which an engine of this machine gives GPUs to tasks. `auto` prefers the toolkit, and falls back on device
 * nodes where the driver is there without it.
 */
export async function chooseGpuWay(
  way: GpuWay,
  runtimes: readonly string[],
  places: DriverPlaces = driverPlaces,
): Promise<"toolkit" | "devices"> {
  if (way !== "auto") return way;
  if (await hasToolkit(runtimes, places)) return "toolkit";
  const driver = await stat(places.proc).catch(() => undefined);
  return driver?.isDirectory() ? "devices" : "toolkit";
}

/**
 * The nodes and libraries for the GPUs with these UUIDs: their own nodes, those that all tasks share, and the libraries
 * of the list. Libraries must be plain files of root that nobody else can write.
 * @throws GPU_UNREACHABLE
 */
export async function findGpuNodes(
  uuids: readonly string[],
  places: DriverPlaces = driverPlaces,
): Promise<GpuNodes> {
  const minors = await minorsByUuid(places.proc);
  const own = uuids.map((uuid) => {
    const minor = minors.get(uuid);
    // A slice (MIG) has capability nodes beside that of its GPU, which would open the whole GPU.
    if (minor === undefined) throw unreachable(`the driver lists no whole GPU ${uuid}`);
    return `nvidia${minor}`;
  });
  const devices = [...SHARED_NODES, ...own].map((name) => join(places.dev, name));
  for (const path of devices) {
    const node = await lstat(path).catch(() => undefined);
    if (!node?.isCharacterDevice()) throw unreachable(`${path} is no device node`);
  }
  const libraries: { source: string; name: string }[] = [];
  for (const { name, required } of LIBRARIES) {
    const source = await findLibrary(name, places.libraries);
    if (source !== undefined) libraries.push({ source, name });
    else if (required) throw unreachable(`the driver's ${name} is in none of its usual folders`);
  }
  return { devices, libraries };
}

/** Minor numbers of the device nodes by UUID, as the driver's folder in /proc tells them. */
async function minorsByUuid(proc: string): Promise<Map<string, number>> {
  const names = await readdir(proc).catch(() => []);
  const texts = names.map((name) => readFile(join(proc, name, "information"), "utf8").catch(() => ""));
  return new Map((await Promise.all(texts)).flatMap(parseInformation));
}

/** UUID and minor number from the driver's `information` of one GPU; nothing where either is missing. */
export function parseInformation(text: string): [uuid: string, minor: number][] {
  const uuid = /^GPU UUID:\s+(GPU-[0-9A-Fa-f-]{8,80})\s*$/m.exec(text)?.[1];
  const minor = /^Device Minor:\s+(\d{1,3})\s*$/m.exec(text)?.[1];
  return uuid === undefined || minor === undefined ? [] : [[uuid, Number(minor)]];
}

async function findLibrary(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const path = await realpath(join(folder, name)).catch(() => undefined);
    if (path === undefined) continue;
    const file = await stat(path);
    if (file.isFile() && file.uid === 0 && (file.mode & 0o022) === 0) return path;
    throw unreachable(`${path} is not a plain file that only root can write`);
  }
  return undefined;
}

/** For GPUs that the chosen way cannot give to a task. */
export function unreachable(why: string): IchainError {
  return new IchainError("GPU_UNREACHABLE", `The GPU cannot be given to a task: ${why}.`);
}
