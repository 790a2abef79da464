/**
 * Many small jobs on one devnet, with every misbehaviour that it knows, silent requesters, killed daemons and one of
 * two nodes lying; prints one JSON object: what was played, whether every wei is where the rules put it, and how each
 * daemon grew with the jobs. Exit code 1 when anything is wrong.
 * Usage: node scripts/soak-market.ts [jobs] [--seed n] [--minutes n]
 */
import { parseArgs } from "node:util";
import { soak } from "../test/support/soak/soak.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string", default: "1" }, minutes: { type: "string" } },
});
const began = performance.now();
const result = await soak({
  jobs: Number(positionals[0] ?? 200),
  seed: Number(values.seed),
  keep: true,
  ...(values.minutes === undefined ? {} : { minutes: Number(values.minutes) }),
  say: (text) => console.error(`${((performance.now() - began) / 1000).toFixed(0)} s  ${text}`),
});
console.log(JSON.stringify(result));
// Whatever a failed soak left open does not keep it from ending.
process.exit(result.failures.length > 0 ? 1 : 0);
