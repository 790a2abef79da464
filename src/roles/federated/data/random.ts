import { exp, log } from "../../../protocol/federated/elementary.ts";

/** A seeded source of chance; the same numbers on every machine. */
export class Random {
  readonly #state: Uint32Array;

  /** Any text is a seed: `H(job, round, account)` in a real job, words and numbers in a simulation. */
  constructor(seed: string) {
    let hash = 0x811c9dc5;
    this.#state = new Uint32Array(4);
    for (let word = 0; word < 4; word++) {
      for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193);
      hash = Math.imul(hash ^ (hash >>> 15) ^ word, 0x85ebca6b);
      this.#state[word] = hash ^ (hash >>> 13);
    }
    this.#state[3]! |= 1;
    for (let i = 0; i < 16; i++) this.#next();
  }

  /** xoshiro128** of Blackman and Vigna. */
  #next(): number {
    const s = this.#state;
    const scrambled = Math.imul(s[1]!, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = (s[3]! << 11) | (s[3]! >>> 21);
    return result;
  }

  /** In [0, 1), with 32 digits. */
  uniform(): number {
    return this.#next() / 2 ** 32;
  }

  /** Whole, from 0 to below `most`. */
  below(most: number): number {
    return Math.floor(this.uniform() * most);
  }

  /** Standard normal, by Marsaglia's polar method. */
  normal(): number {
    for (;;) {
      const [u, v] = [2 * this.uniform() - 1, 2 * this.uniform() - 1];
      const s = u * u + v * v;
      if (s > 0 && s < 1) return u * Math.sqrt((-2 * log(s)) / s);
    }
  }

  /** Gamma with shape `a` and scale 1, by Marsaglia and Tsang. */
  gamma(a: number): number {
    if (a < 1) return this.gamma(a + 1) * exp(log(this.uniform() + 2 ** -33) / a);
    const d = a - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && log(this.uniform() + 2 ** -33) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
    }
  }

  /** Proportions of `count` classes, Dirichlet with concentration `alpha`. */
  dirichlet(alpha: number, count: number): number[] {
    const draws = Array.from({ length: count }, () => this.gamma(alpha));
    const sum = draws.reduce((total, one) => total + one, 0);
    return draws.map((one) => one / sum);
  }

  /** `list` in random order, in place. */
  shuffle<List extends { [index: number]: number; readonly length: number }>(list: List): List {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const kept = list[i]!;
      list[i] = list[j]!;
      list[j] = kept;
    }
    return list;
  }
}
