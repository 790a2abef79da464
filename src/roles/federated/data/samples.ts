import type { Random } from "./random.ts";

/** Labelled rows, sparse: of each row the features that are not 0. */
export interface Samples {
  readonly features: number;
  readonly classes: number;
  /** Of row r: entries `starts[r]` to `starts[r + 1]` of `places` and `values`. */
  readonly starts: Uint32Array;
  readonly places: Uint16Array;
  readonly values: Float32Array;
  readonly labels: Uint8Array;
}

/** The rows of a trial. */
export interface TrialData {
  readonly train: Samples;
  /** Of the training data as it came; 4 a feature and 1 a label where it was generated. */
  readonly bytes: number;
  /** With `split: file`: which file each training row came from. */
  readonly files?: Uint8Array;
  readonly test: Samples;
  /** Rows of `test` that measure. */
  readonly hidden: Uint32Array;
  /** Rows of `train` that may be dealt. */
  readonly open: Uint32Array;
}

/** Most features of a row, and most classes. */
export const MAX_FEATURES = 65_536;
export const MAX_CLASSES = 256;

/** Packs dense rows; `scale` is multiplied into each value (1/255 for pixels). */
export function packSamples(
  dense: ArrayLike<number>,
  labels: Uint8Array,
  shape: { readonly features: number; readonly classes: number; readonly scale: number },
): Samples {
  const { features, classes, scale } = shape;
  let count = 0;
  for (let i = 0; i < labels.length * features; i++) if (dense[i] !== 0) count += 1;
  const [starts, places, values] = [
    new Uint32Array(labels.length + 1),
    new Uint16Array(count),
    new Float32Array(count),
  ];
  for (let row = 0, at = 0; row < labels.length; row++) {
    for (let place = 0; place < features; place++) {
      const value = dense[row * features + place]!;
      if (value === 0) continue;
      places[at] = place;
      values[at] = value * scale;
      at += 1;
    }
    starts[row + 1] = at;
  }
  return { features, classes, starts, places, values, labels };
}

/** Normal clouds around normal centres, one a class, and a class by chance for each row. */
export function generateSamples(
  { rows, features, classes, spread }: { rows: number; features: number; classes: number; spread: number },
  random: Random,
): Samples {
  const centres = Array.from({ length: classes * features }, () => random.normal());
  const labels = Uint8Array.from({ length: rows }, () => random.below(classes));
  const dense = new Float64Array(rows * features);
  for (let i = 0; i < dense.length; i++) {
    const label = labels[Math.floor(i / features)]!;
    dense[i] = centres[label * features + (i % features)]! + spread * random.normal();
  }
  return packSamples(dense, labels, { features, classes, scale: 1 });
}
