import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { IchainError } from "../errors/error.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import { MEASURED_FILE, MODEL_FILE, PART_FILE } from "../protocol/federated/market/spec.ts";
import { type Model, readModel, writeModel } from "../protocol/federated/model-file.ts";
import { Vector } from "../protocol/federated/vector.ts";
import { readHeader } from "../protocol/tensors/header.ts";
import { writeSafetensors } from "../protocol/tensors/write.ts";
import type { WorkerContext } from "../roles/context.ts";
import { UPDATE_FILE } from "../roles/federated/market/update-parcel.ts";

/**
 * How a provider of a federated job misbehaves, by the words of `ichain simulate`. None copies another's update, as there:
 * on the market a provider sees no update but its own.
 */
export const federatedMisbehaviours = [
  "sign",
  "label",
  "thin",
  "replay",
  "idle",
  "drop",
  "late",
  "garbage",
] as const;
export type FederatedMisbehaviour = (typeof federatedMisbehaviours)[number];

/**
 * How a validator misbehaves in the seat that it has in a federated job, not in panels: `lie` says of every update that it
 * is better than it measured, `frame` finds another update in every replay, `omit` never has the first provider's.
 */
export const seatMisbehaviours = ["lie", "frame", "omit"] as const;
export type SeatMisbehaviour = (typeof seatMisbehaviours)[number];

const FOREVER_MS = 2 ** 31 - 1;
/** Beyond the ten seconds that the others have once the quorum has sent. */
const LATE_MS = 20_000;

/** The worker with one misbehaviour in federated jobs; in everything else it acts as an honest provider. */
export function misbehaveInRounds(worker: WorkerContext, kind: FederatedMisbehaviour): WorkerContext {
  const { sandbox, transport, parcels } = worker;
  const after = (forge: (given: Model, trained: Model, last: Model | undefined) => Vector) => ({
    ...worker,
    sandbox: forging(sandbox, forge),
  });
  switch (kind) {
    case "sign":
      return after((given, trained) => combined(given, trained, -1));
    case "idle":
      return after(({ vector }) => vector);
    case "replay":
      return after((given, _, last) => (last === undefined ? given.vector : combined(last, given, 1, given)));
    case "label":
      return { ...worker, sandbox: retelling(sandbox, (labels) => labels.map((one) => (one + 1) % 10)) };
    case "thin":
      return { ...worker, sandbox: retelling(sandbox, (labels) => labels, 10) };
    case "drop":
      return {
        ...worker,
        sandbox: {
          ...sandbox,
          run: async (task, options) => {
            await delay(FOREVER_MS, undefined, { signal: options?.signal });
            return sandbox.run(task, options);
          },
        },
      };
    case "late":
      return {
        ...worker,
        transport: {
          ...transport,
          sendNotice: async (request, options) => {
            await delay(LATE_MS, undefined, { signal: options?.signal });
            return transport.sendNotice(request, options);
          },
        },
      };
    case "garbage":
      return {
        ...worker,
        parcels: {
          ...parcels,
          pack: async (request, options) => {
            if (request.paths[0] === UPDATE_FILE)
              await writeFile(join(request.root, UPDATE_FILE), randomBytes(4096));
            return parcels.pack(request, options);
          },
        },
      };
  }
}

/** The worker with a misbehaviour as a validator of federated jobs. */
export function misbehaveInSeat(worker: WorkerContext, kind: SeatMisbehaviour): WorkerContext {
  switch (kind) {
    case "lie":
      return { ...worker, sandbox: flattering(worker.sandbox) };
    case "frame":
      return { ...worker, sandbox: framing(worker.sandbox) };
    case "omit":
      return { ...worker, transport: omitting(worker) };
  }
}

/** Leaves another model of every replay than the task did. */
function framing(sandbox: Sandbox): Sandbox {
  return {
    ...sandbox,
    outputs: async (id, options) => {
      const folder = await sandbox.outputs(id, options);
      if (!/^federated-validator-.*-replay-/.test(id)) return folder;
      const forged = await mkdtemp(join(tmpdir(), "ichain-forged-"));
      await cp(folder, forged, { recursive: true });
      const { layout, vector } = readModel(await readFile(join(folder, MODEL_FILE)));
      await rm(join(forged, MODEL_FILE), { force: true });
      await writeFile(join(forged, MODEL_FILE), writeModel({ layout, vector: scaled(vector, 2) }));
      return forged;
    },
  };
}

/** Fetches no update of the provider that enlisted first. */
function omitting({ transport, market, account }: WorkerContext): WorkerContext["transport"] {
  return {
    ...transport,
    fetch: async (request, options) => {
      const [, sender] = /update-\d+-([0-9a-f]{40})(-\d+)?\.parcel$/i.exec(request.path) ?? [];
      const jobs = sender === undefined ? [] : await market.federatedJobs({ validator: account }, options);
      const isFirst = jobs.some(
        ({ members }) => members[0]?.account.slice(2).toLowerCase() === sender!.toLowerCase(),
      );
      if (isFirst) throw new IchainError("UPDATE_INVALID", "The update is not valid: it is passed over.");
      return await transport.fetch(request, options);
    },
  };
}

function scaled(vector: Vector, factor: number): Vector {
  const next = new Vector(vector.length);
  for (let i = 0; i < next.length; i++) next.units[i] = factor * vector.units[i]!;
  return next;
}

/** Leaves better measurements of updates than the task did. */
function flattering(sandbox: Sandbox): Sandbox {
  return {
    ...sandbox,
    outputs: async (id, options) => {
      const folder = await sandbox.outputs(id, options);
      if (!existsSync(join(folder, MEASURED_FILE))) return folder;
      const told = await mkdtemp(join(tmpdir(), "ichain-forged-"));
      await cp(folder, told, { recursive: true });
      const text = await readFile(join(folder, MEASURED_FILE), "utf8");
      const measured = JSON.parse(text) as Record<string, Record<string, { acc: number; loss: number }>>;
      for (const [model, sets] of Object.entries(measured))
        if (model.startsWith("update-")) for (const one of Object.values(sets)) one.acc = 1;
      await rm(join(told, MEASURED_FILE), { force: true });
      await writeFile(join(told, MEASURED_FILE), JSON.stringify(measured));
      return told;
    },
  };
}

/** `base` moved by `factor` times what leads from `from` to `to`; from `from` itself unless given. */
function combined(from: Model, to: Model, factor: number, base: Model = from): Vector {
  const next = new Vector(from.vector.length);
  for (let i = 0; i < next.length; i++)
    next.units[i] = base.vector.units[i]! + factor * (to.vector.units[i]! - from.vector.units[i]!);
  return next;
}

/** Leaves another model than the task did. */
function forging(
  sandbox: Sandbox,
  forge: (given: Model, trained: Model, last: Model | undefined) => Vector,
): Sandbox {
  const inputs = new Map<string, string>();
  let [last, now]: (Model | undefined)[] = [];
  return {
    ...sandbox,
    run: async (task, options) => {
      inputs.set(task.id, task.inputDir);
      return sandbox.run(task, options);
    },
    outputs: async (id, options) => {
      const folder = await sandbox.outputs(id, options);
      const input = inputs.get(id);
      if (input === undefined || !existsSync(join(input, PART_FILE))) return folder;
      const given = readModel(await readFile(join(input, MODEL_FILE)));
      const trained = readModel(await readFile(join(folder, MODEL_FILE)));
      [last, now] = [now, given];
      const forged = await mkdtemp(join(tmpdir(), "ichain-forged-"));
      await cp(folder, forged, { recursive: true });
      const vector = forge(given, trained, last);
      await rm(join(forged, MODEL_FILE), { force: true });
      await writeFile(join(forged, MODEL_FILE), writeModel({ layout: given.layout, vector }));
      return forged;
    },
  };
}

/** Trains on other labels than it was dealt, or on one of `every` rows. */
function retelling(sandbox: Sandbox, relabel: (labels: Uint8Array) => Uint8Array, every = 1): Sandbox {
  return {
    ...sandbox,
    run: async (task, options) => {
      const path = join(task.inputDir, PART_FILE);
      if (existsSync(path)) {
        const file = await readFile(path);
        const tensors = readHeader(file).tensors.map(({ name, dtype, shape, start, end }) => {
          const rows = Math.ceil((shape[0] ?? 0) / every);
          const size = (end - start) / Math.max(1, shape[0] ?? 0);
          const data = new Uint8Array(file.subarray(start, start + rows * size));
          return {
            name,
            dtype,
            shape: [rows, ...shape.slice(1)],
            data: dtype === "U8" ? relabel(data) : data,
          };
        });
        await writeFile(path, writeSafetensors(tensors));
      }
      return sandbox.run(task, options);
    },
  };
}
