import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { IchainError } from "../../../errors/error.ts";
import type { TrialFile } from "../../../protocol/federated/job-file.ts";
import { readNpz } from "./npz.ts";
import { Random } from "./random.ts";
import {
  generateSamples,
  MAX_CLASSES,
  MAX_FEATURES,
  packSamples,
  type Samples,
  type TrialData,
} from "./samples.ts";

const MAX_BYTES = 1 << 30;

/** What a trial's file says of its rows. */
export interface TrialRows {
  readonly simulation: Pick<TrialFile["simulation"], "train" | "test" | "scale" | "seed">;
}

/**
 * Loads the rows that a trial names, relative to `folder`, or generates them.
 * @throws DATA_UNREADABLE, DATA_INVALID
 */
export async function loadTrialData({ simulation }: TrialRows, folder: string): Promise<TrialData> {
  const { train: source, test: hiddenFile, scale, seed } = simulation;
  if ("generated" in source) {
    const { rows, features } = source.generated;
    const samples = generateSamples(source.generated, new Random(`rows ${seed}`));
    return { ...splitOff(samples, seed), bytes: rows * (4 * features + 1) };
  }
  const names = typeof source.file === "string" ? [source.file] : source.file;
  const loaded = await Promise.all(names.map((name) => loadDense(resolve(folder, name), source)));
  const train = joined(loaded, scale);
  const files = Uint8Array.from(loaded.flatMap(({ labels }, i) => Array<number>(labels.length).fill(i)));
  const bytes = loaded.reduce((sum, one) => sum + one.bytes, 0);
  if (hiddenFile === undefined) return { ...splitOff(train, seed), files, bytes };
  const tests = typeof hiddenFile.file === "string" ? [hiddenFile.file] : hiddenFile.file;
  const test = joined(
    await Promise.all(tests.map((name) => loadDense(resolve(folder, name), hiddenFile))),
    scale,
    train.classes,
  );
  if (test.features !== train.features) refuse("the test rows have another width than the training rows");
  return { train, files, bytes, test, hidden: everyRow(test), open: everyRow(train) };
}

/** Rows as they lie in a file. */
export interface Dense {
  /** Of the file. */
  readonly bytes: number;
  readonly features: number;
  /** Of a row; its product is `features`. */
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  readonly labels: Uint8Array;
}

/** @throws DATA_UNREADABLE, DATA_INVALID */
export async function loadDense(path: string, names: { rows: string; labels: string }): Promise<Dense> {
  let bytes: Uint8Array;
  try {
    if ((await stat(path)).size > MAX_BYTES) refuse(`${path} is larger than 1 GiB`);
    bytes = await readFile(path);
  } catch (cause) {
    if (cause instanceof IchainError) throw cause;
    throw new IchainError("DATA_UNREADABLE", `The data file ${path} cannot be read.`, { cause });
  }
  const arrays = readNpz(bytes, [names.rows, names.labels]);
  const [rows, labels] = [arrays.get(names.rows)!, arrays.get(names.labels)!];
  const count = rows.shape[0] ?? 0;
  const features = count === 0 ? 0 : rows.values.length / count;
  if (features < 1 || features > MAX_FEATURES) refuse(`rows have 1 to ${MAX_FEATURES} features`);
  if (labels.shape.length !== 1 || labels.shape[0] !== count) refuse("there is one label for each row");
  const bytesOf = Uint8Array.from(labels.values);
  if (bytesOf.some((label, i) => label !== labels.values[i]))
    refuse("labels are whole numbers from 0 to 255");
  return { bytes: bytes.length, features, shape: rows.shape.slice(1), values: rows.values, labels: bytesOf };
}

function joined(parts: readonly Dense[], scale: number, known = 0): Samples {
  const { features } = parts[0]!;
  if (parts.some((part) => part.features !== features)) refuse("the files have rows of different widths");
  const labels = Uint8Array.from(parts.flatMap((part) => [...part.labels]));
  const most = labels.reduce((max, label) => Math.max(max, label), 0) + 1;
  if (known > 0 && most > known) refuse("the test rows have a label that no training row has");
  const classes = known > 0 ? known : Math.min(MAX_CLASSES, Math.max(2, most));
  if (parts.length === 1) return packSamples(parts[0]!.values, labels, { features, classes, scale });
  const values = new Float64Array(labels.length * features);
  let at = 0;
  for (const part of parts) {
    values.set(Array.from(part.values), at);
    at += part.values.length;
  }
  return packSamples(values, labels, { features, classes, scale });
}

/** Keeps a fifth of the rows hidden, by chance. */
function splitOff(samples: Samples, seed: string | number): Omit<TrialData, "bytes"> {
  const rows = new Random(`hidden ${seed}`).shuffle(everyRow(samples));
  const hidden = rows.slice(0, Math.floor(rows.length / 5));
  return { train: samples, test: samples, hidden, open: rows.slice(hidden.length) };
}

function everyRow({ labels }: Samples): Uint32Array {
  return Uint32Array.from(labels.keys());
}

function refuse(why: string): never {
  throw new IchainError("DATA_INVALID", `The data cannot be used: ${why}.`);
}
