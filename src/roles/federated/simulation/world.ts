import type { BadKind, TrialFile } from "../../../protocol/federated/job-file.ts";
import type { Address } from "../../../protocol/ids.ts";
import { dealByDirichlet, dealEvenly, type Partition } from "../data/partition.ts";
import { Random } from "../data/random.ts";
import type { TrialData } from "../data/samples.ts";
import type { Actor } from "./provider.ts";

/** What a trial begins with. */
export interface World {
  readonly root: Uint32Array;
  readonly actors: readonly Actor[];
}

const LEAST_ROWS = 20;

/** Takes the root rows, deals the rest, and makes the first providers bad. Everything follows from the seed. */
export function makeWorld(file: TrialFile, data: TrialData): World {
  const { providers } = file.federated;
  const { seed, root: rootRows, bad } = file.simulation;
  const random = new Random(`world ${seed}`);
  const order = random.shuffle(data.open.slice());
  const root = order.slice(0, Math.min(rootRows, Math.floor(order.length / 2)));
  const parts = deal(file, data, order.slice(root.length), random);
  const kinds = Object.entries(bad).flatMap(([kind, count]) =>
    Array<BadKind>(count ?? 0).fill(kind as BadKind),
  );
  const actors = parts.slice(0, providers).map((rows, i) => {
    const kind = kinds[i];
    return { account: accountOf(i), rows, ...(kind !== undefined && { bad: kind }) };
  });
  return { root, actors };
}

function deal({ federated }: TrialFile, data: TrialData, rows: Uint32Array, random: Random): Partition {
  const { providers: parts, data: how } = federated;
  const [name, alpha] = how.split.split(" ");
  if (name === "iid") return dealEvenly(rows, parts, random);
  if (name === "dirichlet") {
    return dealByDirichlet(data.train, rows, { parts, alpha: Number(alpha), least: LEAST_ROWS, random });
  }
  return Array.from({ length: parts }, (_, part) =>
    rows.filter((row) => (data.files?.[row] ?? 0) % parts === part),
  );
}

/** The account of provider `i` of a simulation, spares included. */
export function accountOf(i: number): Address {
  return `0x${(i + 1).toString(16).padStart(40, "0")}`;
}
