import { resolve } from "node:path";
import { IchainError } from "../../../../../errors/error.ts";
import type { FederatedJobFile } from "../../../../../protocol/federated/market/file.ts";
import { float32Tensor } from "../../../../../protocol/tensors/values.ts";
import { writeSafetensors } from "../../../../../protocol/tensors/write.ts";
import { type Dense, loadDense } from "../../../data/load.ts";
import { dealByDirichlet, dealEvenly, type Partition } from "../../../data/partition.ts";
import { Random } from "../../../data/random.ts";

/** Least rows of a part that a Dirichlet split is drawn again for. */
const LEAST_ROWS = 10;

type Source = FederatedJobFile["federated"]["test"];

/** Labelled rows of a job's data files, one file after the other. */
export interface Rows {
  readonly names: Pick<Source, "rows" | "labels">;
  readonly parts: readonly Dense[];
  readonly labels: Uint8Array;
  /** Which file each row came from. */
  readonly files: Uint8Array;
  /** Of the files. */
  readonly bytes: number;
}

/** @throws DATA_UNREADABLE, DATA_INVALID */
export async function loadRows(folder: string, source: Source): Promise<Rows> {
  const names = typeof source.file === "string" ? [source.file] : source.file;
  const parts = await Promise.all(names.map((name) => loadDense(resolve(folder, name), source)));
  const shape = String(parts[0]!.shape);
  if (parts.some((part) => String(part.shape) !== shape))
    throw new IchainError(
      "DATA_INVALID",
      "The data cannot be used: the files have rows of different shapes.",
    );
  const { rows, labels } = source;
  return {
    names: { rows, labels },
    parts,
    labels: Uint8Array.from(parts.flatMap((part) => [...part.labels])),
    files: Uint8Array.from(parts.flatMap((part, i) => Array<number>(part.labels.length).fill(i))),
    bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
  };
}

/** These rows (indices) as a safetensors file: F32 rows in their shape, U8 labels, by the names that they had. */
export function rowsFile(rows: Rows, which: Uint32Array): Uint8Array {
  const { names, labels } = rows;
  const data = Uint8Array.from(which, (row) => labels[row]!);
  return writeSafetensors([
    valuesOf(rows, which),
    { name: names.labels, dtype: "U8", shape: [which.length], data },
  ]);
}

/** All rows without their labels. */
export function unlabelledFile(rows: Rows): Uint8Array {
  return writeSafetensors([valuesOf(rows, everyRow(rows))]);
}

function valuesOf({ names, parts }: Rows, which: Uint32Array) {
  const { features, shape } = parts[0]!;
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, one) => sum + one.labels.length, 0));
  const values = new Float32Array(which.length * features);
  for (const [at, row] of which.entries()) {
    const part = starts.findLastIndex((start) => start <= row);
    const from = (row - starts[part]!) * features;
    for (let i = 0; i < features; i++) values[at * features + i] = parts[part]!.values[from + i]!;
  }
  return float32Tensor(names.rows, [which.length, ...shape], values);
}

/** Deals all rows to `parts` providers as the job file says; by the seed, always alike. */
export function dealRows(rows: Rows, split: string, parts: number, seed: string): Partition {
  const every = everyRow(rows);
  const random = new Random(`parts ${seed}`);
  if (split === "iid") return dealEvenly(every, parts, random);
  if (split === "file")
    return Array.from({ length: parts }, (_, part) => every.filter((row) => rows.files[row] === part));
  const classes = rows.labels.reduce((most, label) => Math.max(most, label), 0) + 1;
  const alpha = Number(split.split(" ")[1]);
  return dealByDirichlet({ labels: rows.labels, classes }, every, {
    parts,
    alpha,
    least: LEAST_ROWS,
    random,
  });
}

/** As many as the labels have, from 0; two at least. */
export function classesOf({ labels }: Pick<Rows, "labels">): number {
  return labels.reduce((most, label) => Math.max(most, label), 1) + 1;
}

export function everyRow({ labels }: Pick<Rows, "labels">): Uint32Array {
  return Uint32Array.from(labels.keys());
}
