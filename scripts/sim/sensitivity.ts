import { type Assumptions, defaults } from "./assumptions.ts";
import { expectedGain } from "./measure.ts";
import type { Strategy } from "./strategies/strategy.ts";

/** One assumption changed at a time, and what then pays although it must not by default. */
export interface Variation {
  readonly name: string;
  readonly change: Partial<Assumptions>;
}

export const variations: readonly Variation[] = [
  { name: "pool share q = 0.1", change: { share: 0.1 } },
  { name: "pool share q = 0.3", change: { share: 0.3 } },
  { name: "pool share q = 0.5", change: { share: 0.5 } },
  { name: "work costs 0.3 P", change: { work: 0.3 } },
  { name: "work costs 0.9 P", change: { work: 0.9 } },
  { name: "a result is worth 1.2 P", change: { value: 1.2 } },
  { name: "a result is worth 3 P", change: { value: 3 } },
  { name: "gas costs nothing", change: { gasPrice: 0n } },
  { name: "gas costs ten times as much (10 gwei)", change: { gasPrice: 10n ** 10n } },
  { name: "price a tenth (0.001, so F = P)", change: { price: 10n ** 15n } },
  { name: "price a third (F = 0.3 P)", change: { price: (10n ** 16n * 3n) / 9n } },
  { name: "price ten times as high (F = 0.01 P)", change: { price: 10n ** 17n } },
  { name: "outages 10 %", change: { outage: 0.1 } },
  { name: "measuring costs 0.9 F", change: { measuring: 0.9 } },
  { name: "three validators by default", change: { validators: 3 } },
  { name: "an absent requester returns once in five", change: { returns: 0.2 } },
  { name: "requesters away half of the time", change: { away: 0.5 } },
  { name: "a provider can be blocked for P", change: { dos: 1 } },
  { name: "effort 0.5", change: { effort: 0.5 } },
  { name: "stop.floor 0", change: { stopFloor: 0 } },
];

/** Less is a tie, or the rounding of a sum. */
const DUST = 1e-6;

export function whatPays(strategies: readonly Strategy[], { change }: Variation): string[] {
  const a = { ...defaults, ...change };
  return strategies
    .filter((strategy) => strategy.mustLose && expectedGain(strategy, a).side > DUST)
    .map(({ id }) => id);
}
