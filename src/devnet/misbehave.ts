import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Market } from "../ports/market.ts";
import type { Parcels } from "../ports/parcels.ts";
import type { Sandbox, TaskRun } from "../ports/sandbox.ts";
import type { Transport } from "../ports/transport.ts";
import { toHex } from "../protocol/bytes.ts";
import type { Hex } from "../protocol/ids.ts";
import type { WorkerContext } from "../roles/context.ts";

/** The misbehaviours of a devnet's provider, with which tests try the market's defences. */
export const misbehaviours = [
  "lazy",
  "wrong",
  "vanish",
  "slow",
  "no-key",
  "corrupt",
  "no-report",
  "no-seed",
] as const;
export type Misbehaviour = (typeof misbehaviours)[number];

const FOREVER_MS = 2 ** 31 - 1;

/** The worker with one misbehaviour; in everything else it acts as an honest provider. */
export function misbehave(worker: WorkerContext, kind: Misbehaviour): WorkerContext {
  const { market, sandbox, parcels, transport } = worker;
  switch (kind) {
    case "vanish":
      return { ...worker, market: stallingBefore(market, "submit") };
    case "slow":
      return { ...worker, sandbox: neverStarting(sandbox) };
    case "no-key":
      return { ...worker, market: stallingBefore(market, "claim") };
    case "wrong":
      return { ...worker, sandbox: claimingMetric(sandbox, { runs: true }), parcels: packingNoise(parcels) };
    case "lazy":
      return { ...worker, sandbox: claimingMetric(sandbox, { runs: false }), parcels: packingNoise(parcels) };
    case "corrupt":
      return { ...worker, parcels: encryptingUnderAnotherKey(parcels) };
    case "no-report":
      return {
        ...worker,
        market: stallingBefore(market, "disclose"),
        transport: withholdingReports(transport),
      };
    case "no-seed":
      // Withholds its seed when validators are to be drawn.
      return { ...worker, market: stallingBefore(market, "draw") };
  }
}

async function forever(signal: AbortSignal | undefined): Promise<void> {
  await delay(FOREVER_MS, undefined, { signal });
}

function stallingBefore(market: Market, kind: "submit" | "claim" | "disclose" | "draw"): Market {
  return {
    ...market,
    prepare: async (call, options) => {
      if (call.kind === kind) await forever(options?.signal);
      return market.prepare(call, options);
    },
  };
}

function neverStarting(sandbox: Sandbox): Sandbox {
  return {
    ...sandbox,
    run: async (task, options) => {
      await forever(options?.signal);
      return sandbox.run(task, options);
    },
  };
}

/** Reports a high metric; with `runs` false without running the task. */
function claimingMetric(sandbox: Sandbox, { runs }: { runs: boolean }): Sandbox {
  const claimed: TaskRun = {
    exitCode: 0,
    ended: "exit",
    log: "acc: 0.999\nloss: 0.001\n",
    logTruncated: false,
    wallSeconds: 1,
    cpuSeconds: 1,
    peakMemoryBytes: 1,
  };
  return {
    ...sandbox,
    run: async (task, options) => {
      if (runs && task.resultDir === undefined) await sandbox.run(task, options);
      return claimed;
    },
    outputs: async (id) => id, // not read: `packingNoise` packs noise
  };
}

/** Packs noise in place of the outputs. */
function packingNoise(parcels: Parcels): Parcels {
  return {
    ...parcels,
    pack: async (request, options) => {
      if (request.paths.includes("report.json")) return parcels.pack(request, options);
      const root = `${request.out}.noise`;
      for (const path of request.paths) {
        const file = join(root, path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, randomBytes(4096));
      }
      return parcels.pack({ ...request, root }, options);
    },
  };
}

/** Hosts its run reports without giving validators the key. */
function withholdingReports(transport: Transport): Transport {
  return {
    ...transport,
    host: async (request, options) => {
      const hosting = await transport.host(request, options);
      const added: Hex[] = []; // the result, then its report
      return {
        endpoint: hosting.endpoint,
        add: (blob) => {
          if (!added.includes(blob.root)) added.push(blob.root);
          return hosting.add(blob);
        },
        remove: (root) => hosting.remove(root),
        admit: (reader) => hosting.admit(reader),
        dismiss: (reader) => hosting.dismiss(reader),
        addFeed: (feed) => hosting.addFeed(feed),
        putCapsule: (root, fingerprint, capsule) => {
          if (root !== added[1]) hosting.putCapsule(root, fingerprint, capsule);
        },
        stop: () => hosting.stop(),
      };
    },
  };
}

/** Commits to, and publishes, a key that does not decrypt the hosted result. */
function encryptingUnderAnotherKey(parcels: Parcels): Parcels {
  return {
    ...parcels,
    pack: async (request, options) => {
      const packed = await parcels.pack({ ...request, sessionKey: toHex(randomBytes(32)) }, options);
      return { ...packed, sessionKey: request.sessionKey ?? packed.sessionKey };
    },
  };
}
