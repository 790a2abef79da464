// What a whole job costs all its parties in gas, from the gas that the tests measured (gas.snapshot.json), at several
// prices of gas. A table of Markdown on stdout, which docs/networks.md has.
//
//   npm run -s bench:costs                               0.001, 0.1, 1 and 20 gwei
//   npm run -s bench:costs -- --gwei 3,50
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { coinText } from "../src/protocol/amounts.ts";

const SNAPSHOT = new URL("../test/contracts/gas.snapshot.json", import.meta.url);
const { values } = parseArgs({ options: { gwei: { type: "string", default: "0.001,0.1,1,20" } } });
const prices = values.gwei.split(",").map(Number);
const paths = JSON.parse(readFileSync(SNAPSHOT, "utf8")) as Record<string, Record<string, number>>;

const heads = ["job", "transactions", "gas", ...prices.map((gwei) => `at ${gwei} gwei`)];
console.log(row(heads));
console.log(row(heads.map(() => "---")));
for (const [name, calls] of Object.entries(paths)) {
  const gas = Object.values(calls).reduce((sum, one) => sum + one, 0);
  const costs = prices.map((gwei) => coinText(BigInt(gas) * BigInt(Math.round(gwei * 1e9))));
  console.log(row([name, String(Object.keys(calls).length), String(gas), ...costs]));
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
