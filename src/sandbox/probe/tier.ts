import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { AbortOptions } from "../../async/abort.ts";
import type { Tier } from "../../protocol/offer.ts";
import type { EngineImage } from "../engines/engine.ts";
import type { RunContext } from "../run/context.ts";
import { runContainer } from "../run/run.ts";
import { checkIsolation, sections } from "./isolation.ts";

const MIB = 2 ** 20;
const limits = {
  cpus: 1,
  memoryBytes: 256 * MIB,
  diskBytes: MIB,
  wallSeconds: 30,
  pids: 32,
  logBytes: 16_384,
};

/** Python: tries to reach the API server of a cluster, which listens wherever a pod runs. */
const REACH_SCRIPT = [
  'import os, socket; print("tried", flush=True)',
  'socket.create_connection((os.environ["KUBERNETES_SERVICE_HOST"], 443), 3); print("reached")',
].join("; ");

/** Shell: prints what a kernel reports about itself and about the isolation of a process, in the sections of `sections`. */
const PROBE_SCRIPT = [
  'show() { while read -r line; do echo "$line"; done < "$1"; }', // an image may have no `cat`
  "echo =map; show /proc/self/uid_map",
  "echo =boot; show /proc/sys/kernel/random/boot_id",
  "echo =status; show /proc/self/status",
  "echo =net; show /proc/net/dev",
  `echo =reach; python3 -c '${REACH_SCRIPT}' 2>/dev/null`,
  "echo =kernel; dmesg 2>/dev/null; true",
].join("; ");

/**
 * The tier that isolates tasks here, from how a container behaves and not from what the engine reports: which kernel
 * answers it, and whether its users are the host's. `runc`, the weakest tier, when there is no image to test with.
 * @throws SANDBOX_OPEN when a container lacks isolation that every task must have
 */
export async function findTier(
  context: RunContext,
  images: readonly EngineImage[],
  { signal }: AbortOptions = {},
): Promise<Tier> {
  const { info } = context;
  const image = images.find((held) => held.tags.some((tag) => tag.startsWith("ichain/"))) ?? images[0];
  if (image === undefined) return "runc";
  await mkdir(context.runsDir, { recursive: true, mode: 0o700 });
  const inputDir = await mkdtemp(join(context.runsDir, "probe-"));
  try {
    const id = `probe-${inputDir.slice(-6)}`;
    const command = ["/bin/sh", "-c", PROBE_SCRIPT];
    const dirs = { inputDir, resultDir: inputDir }; // empty, and the probe writes nothing
    const { log } = await runContainer(
      context,
      Promise.resolve(context),
      { id, image: image.digest, command, ...dirs, limits, gpus: [] },
      { signal },
    );
    await rm(join(context.runsDir, id), { recursive: true, force: true });
    checkIsolation(log, info);
    const bootId = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    return tierFromLog(log, info.remote ? undefined : bootId.trim());
  } finally {
    await rm(inputDir, { recursive: true, force: true });
  }
}

/**
 * The tier from a probe's log. Pure. `hostBootId` is undefined for another machine, whose boot id is not known here: a
 * virtual machine cannot be told from its host then, and the weaker tier is returned.
 */
export function tierFromLog(log: string, hostBootId: string | undefined): Tier {
  const { map = "", boot = "", kernel = "" } = sections(log);
  if (/Starting gVisor/.test(kernel)) return "gvisor";
  if (hostBootId !== undefined && /^[0-9a-f-]{36}$/.test(boot) && boot !== hostBootId) return "vm";
  const [inside, outside] = map.split(/\s+/);
  return inside === "0" && outside !== undefined && outside !== "0" ? "userns" : "runc";
}
