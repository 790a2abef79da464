import type { BadKind, TrialFile } from "../../../protocol/federated/job-file.ts";
import { strategyOf } from "../../../protocol/federated/strategies.ts";
import { dealByDirichlet, dealEvenly, type Partition } from "../data/partition.ts";
import { Random } from "../data/random.ts";
import type { TrialData } from "../data/samples.ts";
import { providersOf } from "./identities.ts";
import type { Actor } from "./provider.ts";

/** What a trial begins with. */
export interface World {
  readonly root: Uint32Array;
  /** Rows that all providers have without labels; none where the strategy asks for none. */
  readonly open: Uint32Array;
  readonly actors: readonly Actor[];
  /** Who takes the place of the first, second, … that leaves. */
  readonly spares: readonly Omit<Actor, "rows">[];
}

const LEAST_ROWS = 20;

/** Takes the root rows, deals the rest, and makes the first providers bad. Everything follows from the seed. */
export function makeWorld(file: TrialFile, data: TrialData): World {
  const { providers } = file.federated;
  const { seed, root: rootRows, public: openRows, bad } = file.simulation;
  const random = new Random(`world ${seed}`);
  const order = random.shuffle(data.open.slice());
  const root = order.slice(0, Math.min(rootRows, Math.floor(order.length / 2)));
  const rest = order.slice(root.length);
  const shared = strategyOf(file.federated.strategy)!.labels ? Math.min(openRows, rest.length >> 1) : 0;
  const open = rest.slice(0, shared);
  const parts = deal(file, data, rest.slice(shared), random);
  const kinds = Object.entries(bad).flatMap(([kind, count]) =>
    Array<BadKind>(count ?? 0).fill(kind as BadKind),
  );
  const named = providersOf(file).map(({ account }, i) => ({ account, name: nameOf(i) }));
  const actors = parts.slice(0, providers).map((rows, i) => {
    const kind = kinds[i];
    return { ...named[i]!, rows, ...(kind !== undefined && { bad: kind }) };
  });
  return { root, open, actors, spares: named.slice(providers) };
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
