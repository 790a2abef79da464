import type { Random } from "./random.ts";
import type { Samples } from "./samples.ts";

/** Rows (indices) of each provider. */
export type Partition = readonly Uint32Array[];

/** Deals `rows` in random order, so that every part has all classes. */
export function dealEvenly(rows: Uint32Array, parts: number, random: Random): Partition {
  const order = random.shuffle(rows.slice());
  return Array.from({ length: parts }, (_, i) =>
    order.slice(Math.floor((i * order.length) / parts), Math.floor(((i + 1) * order.length) / parts)),
  );
}

/**
 * Deals each class in proportions drawn from a Dirichlet distribution of concentration `alpha` (Hsu et al. 2019): near 0
 * a part has few classes. Draws again, up to a hundred times, while a part has fewer than `least` rows.
 */
export function dealByDirichlet(
  { labels, classes }: Pick<Samples, "labels" | "classes">,
  rows: Uint32Array,
  { parts, alpha, least, random }: { parts: number; alpha: number; least: number; random: Random },
): Partition {
  const byClass = Array.from({ length: classes }, (_, label) =>
    random.shuffle(rows.filter((row) => labels[row] === label)),
  );
  for (let tries = 0; ; tries++) {
    const dealt: number[][] = Array.from({ length: parts }, () => []);
    for (const list of byClass) {
      let sum = 0;
      let from = 0;
      for (const [part, share] of random.dirichlet(alpha, parts).entries()) {
        sum += share;
        const to = part === parts - 1 ? list.length : Math.min(list.length, Math.round(sum * list.length));
        dealt[part]!.push(...list.subarray(from, to));
        from = Math.max(from, to);
      }
    }
    if (tries >= 100 || dealt.every((list) => list.length >= least)) {
      return dealt.map((list) => random.shuffle(Uint32Array.from(list)));
    }
  }
}
