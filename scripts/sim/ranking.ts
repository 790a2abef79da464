// What it costs to climb past an honest provider by made-up jobs, and what the place brings: `node scripts/sim/ranking.ts
// [--markdown]`. One JSON object on the last line of stdout, or the table of docs/incentives.md. Exits with 1 when
// making jobs up pays.
import { parseArgs } from "node:util";
import { climb, climbTable, JOBS, PRICES } from "./climb.ts";

const { values } = parseArgs({ options: { markdown: { type: "boolean", default: false } } });
if (values.markdown) {
  console.log(climbTable());
  process.exit(0);
}
const results = PRICES.flatMap((gwei) => JOBS.map((jobs) => climb(jobs, gwei)));
console.log(JSON.stringify({ simulation: "ranking", unit: "prices of 0.01 coin", results }));
process.exit(results.every(({ cost, brings }) => cost > brings) ? 0 : 1);
