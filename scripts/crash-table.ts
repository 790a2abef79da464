/**
 * Kills each role with SIGKILL at each step of its journal, before and after the act that the step is about, starts it
 * again, and looks whether the job ends as it does undisturbed: states, balances to the wei, transactions, containers,
 * onions and files. Prints a table to stderr and one JSON object to stdout. Exit code 1 when anything is wrong, or when a
 * step of the sources is not reached.
 * Usage: node scripts/crash-table.ts [scenario…] [--onion] [--lanes n] [--most n]
 */
import { parseArgs } from "node:util";
import { crashTable } from "../test/support/crash/table.ts";
import { points } from "../test/support/crash/trace.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { onion: { type: "boolean" }, lanes: { type: "string", default: "2" }, most: { type: "string" } },
});
const began = performance.now();
const table = await crashTable({
  only: positionals.length > 0 ? positionals : undefined,
  transport: values.onion ? "onion" : "direct",
  lanes: Number(values.lanes),
  most: values.most === undefined ? undefined : Number(values.most),
  say: (text) => console.error(`${((performance.now() - began) / 1000).toFixed(0)} s  ${text}`),
});
for (const { role, step, scenario, cells } of table.rows) {
  const found = points.map((point) =>
    cells[point] === undefined ? "–" : cells[point] === "ok" ? "ok" : "FAILS",
  );
  console.error([role.padEnd(10), step.padEnd(20), ...found.map((one) => one.padEnd(6)), scenario].join(" "));
}
for (const failure of table.failures) console.error(failure);
console.log(JSON.stringify(table));
process.exit(table.failures.length > 0 ? 1 : 0);
