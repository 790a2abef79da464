import type { BadKind, TrialFile } from "../../../protocol/federated/job-file.ts";
import { dealByDirichlet, dealEvenly, type Partition } from "../data/partition.ts";
import { Random } from "../data/random.ts";
import type { TrialData } from "../data/samples.ts";
import { providersOf } from "./identities.ts";
import type { Actor } from "./provider.ts";

/** What a trial begins with. */
export interface World {
  readonly root: Uint32Array;
  readonly actors: readonly Actor[];
  /** Who takes the place of the first, second, … that leaves. */
  readonly spares: readonly Omit<Actor, "rows">[];
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
  const named = providersOf(file).map(({ account }, i) => ({ account, name: nameOf(i) }));
  const actors = parts.slice(0, providers).map((rows, i) => {
    const kind = kinds[i];
    return { ...named[i]!, rows, ...(kind !== undefined && { bad: kind }) };
  });
  return { root, actors, spares: named.slice(providers) };
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

function nameOf(i: number): string {
  return `0x${(i + 1).toString(16).padStart(40, "0")}`;
}
