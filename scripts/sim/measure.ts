import { type Assumptions, defaults } from "./assumptions.ts";
import { everyCourse, seededChance } from "./chance.ts";
import type { Game, Party } from "./game.ts";
import type { Strategy } from "./strategies/strategy.ts";
import { sumOf, worthOf } from "./value.ts";

const parties: readonly Party[] = ["requester", "provider", "named", "sybils", "drawn"];

export interface Estimate {
  /** Of the gain over honesty, a job, in prices. */
  readonly mean: number;
  readonly error: number;
}

/** Plays `jobs` jobs twice, once honestly, with the same seed for both. */
export function simulate(
  strategy: Strategy,
  jobs: number,
  seed: number,
  a: Assumptions = defaults,
): Estimate {
  const { side } = strategy;
  const [cheat, honest] = [strategy.cheat(a), strategy.honest?.(a)];
  let [sum, squares] = [0, 0];
  for (let i = 0; i < jobs; i++) {
    const own = (game: Game) => sumOf(worthOf(game, a, seededChance(seed * jobs + i)), side, a);
    const gain =
      own(cheat) + Number(cheat.besides) / Number(a.price) - (honest === undefined ? 0 : own(honest));
    sum += gain;
    squares += gain * gain;
  }
  const mean = sum / jobs;
  return { mean, error: Math.sqrt(Math.max(0, squares / jobs - mean * mean) / (jobs - 1)) };
}

/** The expected worth of each party over every course that chance can take, in prices. */
function expectedWorth(game: Game, a: Assumptions): ReadonlyMap<Party, number> {
  const sums = new Map<Party, number>(parties.map((party) => [party, 0]));
  everyCourse(
    (chance) => worthOf(game, a, chance),
    (worth, weight) => {
      for (const party of parties) sums.set(party, sums.get(party)! + weight * sumOf(worth, [party], a));
    },
  );
  return sums;
}

/** By how much the cheating side, and everybody else, is better off than by honesty; in prices, exactly. */
export function expectedGain(
  strategy: Strategy,
  a: Assumptions,
): { side: number; others: ReadonlyMap<Party, number> } {
  const cheat = strategy.cheat(a);
  const honest = strategy.honest?.(a);
  const played = expectedWorth(cheat, a);
  const baseline = honest === undefined ? undefined : expectedWorth(honest, a);
  const gains = parties.map((party) => [party, played.get(party)! - (baseline?.get(party) ?? 0)] as const);
  const own = gains.filter(([party]) => strategy.side.includes(party));
  return {
    side: own.reduce((sum, [, gain]) => sum + gain, 0) + Number(cheat.besides) / Number(a.price),
    others: new Map(gains.filter(([party]) => !strategy.side.includes(party))),
  };
}

/** Where the gain over honesty changes its sign; undefined where it does not. */
export function turningPoint(strategy: Strategy, a: Assumptions): number | undefined {
  if (strategy.turns === undefined) return undefined;
  const [parameter, from, to] = strategy.turns;
  const gainAt = (value: number) => expectedGain(strategy, { ...a, [parameter]: value }).side;
  let [low, high] = [from, to];
  const pays = gainAt(low) > 0;
  if (pays === gainAt(high) > 0) return undefined;
  for (let i = 0; i < 12; i++) {
    const middle = (low + high) / 2;
    if (gainAt(middle) > 0 === pays) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
