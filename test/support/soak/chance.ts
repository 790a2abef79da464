/** Numbers that follow from a seed (mulberry32), so that a soak can be planned once more. */
export interface Chance {
  /** From 0 to 1, 1 excluded. */
  next(): number;
  flip(share: number): boolean;
  pick<T>(list: readonly T[]): T;
}

export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    flip: (share) => next() < share,
    pick: (list) => list[Math.floor(next() * list.length)]!,
  };
}
