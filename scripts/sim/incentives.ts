// What cheating is worth against honesty, by the contract's rules and the default parameters: `npm run sim:incentives
// [-- --jobs N --seed N]`. Progress and a table on stderr; one JSON object on the last line of stdout.
// `--markdown` prints the tables of docs/incentives.md instead. Exits with 1 when a strategy pays that must not.
import { parseArgs } from "node:util";
import { defaults } from "./assumptions.ts";
import { expectedGain, simulate, turningPoint } from "./measure.ts";
import { variations, whatPays } from "./sensitivity.ts";
import { strategies } from "./strategies/all.ts";
import { tables } from "./table.ts";

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "5000" },
    seed: { type: "string", default: "1" },
    markdown: { type: "boolean", default: false },
  },
});
const [jobs, seed] = [Number(values.jobs), Number(values.seed)];
if (!Number.isInteger(jobs) || jobs < 2 || !Number.isInteger(seed) || seed < 0) {
  console.error("--jobs takes a whole number from 2, --seed one from 0.");
  process.exit(2);
}
if (values.markdown) {
  console.log(tables());
  process.exit(0);
}

const round = (value: number): number => Math.round(value * 1e4) / 1e4;
const results = strategies.map((strategy) => {
  const { mean, error } = simulate(strategy, jobs, seed);
  const { side, others } = expectedGain(strategy, defaults);
  const turn = turningPoint(strategy, defaults);
  console.error(`${strategy.id.padEnd(32)} ${mean.toFixed(4).padStart(8)} ± ${error.toFixed(4)}`);
  return {
    ...{ id: strategy.id, side: strategy.side, mustLose: strategy.mustLose },
    ...{ mean: round(mean), error: round(error), expected: round(side) },
    others: Object.fromEntries([...others].map(([party, gain]) => [party, round(gain)])),
    ...(strategy.turns && { turns: { parameter: strategy.turns[0], at: turn && round(turn) } }),
    ...(strategy.formula && { formula: strategy.formula[0] }),
    loses: mean < -3 * error && mean < 0,
  };
});
const wrong = results.filter(({ mustLose, loses }) => mustLose && !loses).map(({ id }) => id);
console.log(
  JSON.stringify({
    ...{ simulation: "incentives", jobs, seed, unit: "prices a job, over honesty" },
    assumptions: {
      ...defaults,
      price: `${defaults.price}`,
      validatorFee: `${defaults.validatorFee}`,
      gasPrice: `${defaults.gasPrice}`,
    },
    results,
    paying: results.filter(({ expected }) => expected > 0).map(({ id }) => id),
    sensitivity: Object.fromEntries(variations.map((each) => [each.name, whatPays(strategies, each)])),
    wrong,
  }),
);
process.exit(wrong.length > 0 ? 1 : 0);
