import type { Random } from "../../federated/data/random.ts";
import { packSamples, type Samples } from "../../federated/data/samples.ts";

/** Rows (indices) of each label. */
export function rowsByLabel({ labels, classes }: Samples, rows: Uint32Array): readonly Uint32Array[] {
  return Array.from({ length: classes }, (_, label) => rows.filter((row) => labels[row] === label));
}

/**
 * Share of each label among what a node sees: `iid`, `dirichlet A`, or `labels N`: N labels from its own number on, as
 * the paper's 1node2labels. Labels without rows have none.
 */
export function labelShares(
  split: string,
  node: number,
  byLabel: readonly Uint32Array[],
  random: Random,
): number[] {
  const [kind, number] = split.split(" ");
  const classes = byLabel.length;
  const shares =
    kind === "dirichlet"
      ? random.dirichlet(Number(number), classes)
      : byLabel.map((_, label) =>
          kind === "iid" || (label - node + classes * 1000) % classes < Number(number) ? 1 : 0,
        );
  const there = shares.map((share, label) => (byLabel[label]!.length > 0 ? share : 0));
  const sum = there.reduce((total, share) => total + share, 0);
  return there.map((share, label) => (sum > 0 ? share / sum : byLabel[label]!.length > 0 ? 1 : 0));
}

/** New samples: a label by its share, and any row of it. */
export function drawRows(
  count: number,
  shares: readonly number[],
  byLabel: readonly Uint32Array[],
  random: Random,
): Uint32Array {
  const last = shares.findLastIndex((share) => share > 0);
  return Uint32Array.from({ length: count }, () => {
    let left = random.uniform();
    let label = 0;
    while (label < last && (shares[label] === 0 || left >= shares[label]!)) left -= shares[label++]!;
    const rows = byLabel[label]!;
    return rows[random.below(rows.length)]!;
  });
}

/** Rows of what the paper's data attacker trains on: every feature uniform in [0, 1), any label. */
export function noiseSamples(rows: number, { features, classes }: Samples, random: Random): Samples {
  const dense = Float64Array.from({ length: rows * features }, () => random.uniform());
  const labels = Uint8Array.from({ length: rows }, () => random.below(classes));
  return packSamples(dense, labels, { features, classes, scale: 1 });
}
