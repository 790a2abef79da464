import { type Assumptions, gas, part } from "./assumptions.ts";
import type { Chance } from "./chance.ts";
import type { Game, Party } from "./game.ts";
import { play } from "./play.ts";
import { moneyOf } from "./rules.ts";

/** What one played job leaves each party with: money, less gas and costs, and what a result is worth. Wei. */
export function worthOf(game: Game, a: Assumptions, chance: Chance): Map<Party, bigint> {
  const course = play(game, chance);
  const { delta } = moneyOf(game.terms, course.ending);
  const worth = new Map<Party, bigint>(delta);
  const add = (who: Party, amount: bigint) => worth.set(who, (worth.get(who) ?? 0n) + amount);
  for (const [who, call] of course.calls) add(who, -BigInt(gas[call]) * a.gasPrice);
  for (const [who, times] of course.measured) add(who, -part(a.validatorFee, a.measuring) * BigInt(times));
  if (course.worked) add("provider", -part(a.price, a.work));
  if (course.result) add("requester", part(a.price, a.value));
  // An optimistic requester measures what it gets.
  if (game.terms.validators === 0) add("requester", -part(a.validatorFee, a.measuring));
  return worth;
}

/** The sum of some parties' worth, in prices. */
export function sumOf(
  worth: ReadonlyMap<Party, bigint>,
  parties: readonly Party[],
  { price }: Assumptions,
): number {
  let sum = 0n;
  for (const party of parties) sum += worth.get(party) ?? 0n;
  return Number(sum) / Number(price);
}
