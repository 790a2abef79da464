import { access, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { bytes } from "../ui/format.ts";
import { type Check, forWorkers, runsTasks } from "./check.ts";
import { compareVersions, firstLineOf } from "./program.ts";

const LEAST_TOR = "0.4.8";
const GIB = 2 ** 30;

const node: Check = {
  name: "node",
  // An older one does not get this far: bin/ichain.js refuses it.
  examine: () => ({ status: "ok", found: process.versions.node }),
};

const tor: Check = {
  name: "tor",
  async examine({ config, signal }) {
    const wanted = config.transport === "onion" ? "fail" : "warn";
    const line = await firstLineOf(config.tor.binary, ["--version"], { signal });
    const version = line === undefined ? undefined : /^Tor version (\d+(?:\.\d+)+)/.exec(line)?.[1];
    if (version === undefined) {
      return {
        status: wanted,
        found: `${config.tor.binary} cannot be run`,
        todo: "Install the package tor, or set ICHAIN_TOR to the program.",
      };
    }
    return compareVersions(version, LEAST_TOR) >= 0
      ? { status: "ok", found: version }
      : { status: wanted, found: version, todo: `Install tor ${LEAST_TOR} or newer.` };
  },
};

const mmdebstrap: Check = {
  name: "mmdebstrap",
  async examine(context) {
    const line = await firstLineOf("mmdebstrap", ["--version"], context);
    if (line !== undefined) return { status: "ok", found: line.replace(/^mmdebstrap /, "") };
    return {
      status: runsTasks(context) ? "warn" : "ok",
      found: "not installed",
      todo: runsTasks(context) ? "Install it to build runtime images: apt install mmdebstrap." : undefined,
    };
  },
};

const disk: Check = {
  name: "disk",
  async examine(context) {
    const { bavail, bsize } = await statfsOfNearest(context.config.home);
    const free = bavail * bsize;
    const found = `${bytes(free)} free at ${context.config.home}`;
    const todo = "Parcels, results and images need room: free some, or move ICHAIN_HOME.";
    if (free < GIB) return { status: "fail", found, todo };
    return free < 10 * GIB ? forWorkers(context, { status: "warn", found, todo }) : { status: "ok", found };
  },
};

/** A task's outputs lie on a disk of their own (docs/adr/0009). */
const outputDisks: Check = {
  name: "output disks",
  async examine(context) {
    if (!runsTasks(context)) return { status: "ok", found: "not needed here" };
    const missing: string[] = [];
    if (process.getuid?.() !== 0) missing.push("root");
    if (!(await exists("/dev/loop-control"))) missing.push("loop devices");
    for (const [program, flag] of [
      ["losetup", "--version"],
      ["mkfs.ext4", "-V"],
    ] as const) {
      if ((await firstLineOf(program, [flag], context)) === undefined) missing.push(program);
    }
    if (missing.length === 0) return { status: "ok", found: "ext4 over loop devices" };
    return {
      status: "fail",
      found: `without ${missing.join(", ")}`,
      todo: "Run ichain as root, on a kernel with loop devices, with the packages mount and e2fsprogs.",
    };
  },
};

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** The home folder need not exist yet. */
async function statfsOfNearest(path: string): Promise<{ bavail: number; bsize: number }> {
  try {
    return await statfs(path);
  } catch (error) {
    if (dirname(path) === path) throw error;
    return statfsOfNearest(dirname(path));
  }
}

/** Programs and room on this machine. */
export const machineChecks: readonly Check[] = [node, tor, mmdebstrap, outputDisks, disk];
