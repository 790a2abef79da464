/** What decides a played job where nobody does. */
export interface Chance {
  flip(probability: number): boolean;
}

/** The same jobs for the same seed (sfc32 over a splitmix32 of it). */
export function seededChance(seed: number): Chance {
  let mixed = seed >>> 0;
  const next = (): number => {
    mixed = (mixed + 0x9e3779b9) >>> 0;
    let z = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let [a, b, c, counter] = [next(), next(), next(), 1];
  return {
    flip(probability) {
      const sum = (a + b + counter) >>> 0;
      counter = (counter + 1) >>> 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) >>> 0;
      c = ((c << 21) | (c >>> 11)) >>> 0;
      c = (c + sum) >>> 0;
      return sum / 2 ** 32 < probability;
    },
  };
}

/** Branches less likely than this are left out: together they weigh less than a hundredth of a percent. */
const LEAST = 1e-8;

/** Calls `visit` with the outcome of `run` for every way in which chance can fall, and how likely it is. */
export function everyCourse<T>(
  run: (chance: Chance) => T,
  visit: (outcome: T, weight: number) => void,
): void {
  const open: { choices: boolean[]; weight: number }[] = [{ choices: [], weight: 1 }];
  for (let branch = open.pop(); branch !== undefined; branch = open.pop()) {
    const { choices } = branch;
    let { weight } = branch;
    let at = 0;
    const fixed = choices.length;
    const outcome = run({
      flip(probability) {
        if (probability <= 0 || probability >= 1) return probability >= 1;
        if (at < fixed) return choices[at++]!;
        // The likelier side goes on here, the other is kept for later.
        const likelier = probability >= 0.5;
        const other = likelier ? 1 - probability : probability;
        if (weight * other > LEAST) open.push({ choices: [...choices, !likelier], weight: weight * other });
        weight *= 1 - other;
        choices.push(likelier);
        at++;
        return likelier;
      },
    });
    visit(outcome, weight);
  }
}
