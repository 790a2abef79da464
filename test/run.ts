// `npm test`: checks, contract tests, then everything else; `npm test -- unit e2e` runs some groups only.
// The group `torch` is run by its name alone.
// The last line is `N passed, N failed[, N skipped]` alone; the exit code says the same.
import { checks } from "./runner/checks.ts";
import { contracts } from "./runner/contracts.ts";
import { type Group, groups, testFiles, usualGroups } from "./runner/files.ts";
import { runFiles } from "./runner/node-tests.ts";
import { add, type Tally } from "./runner/tally.ts";

const asked = process.argv.slice(2).filter((word) => !word.startsWith("-"));
const unknown = asked.filter((word) => !(groups as readonly string[]).includes(word));
if (unknown.length > 0) {
  console.error(`Unknown group ${unknown.join(", ")}; the groups are ${groups.join(", ")}.`);
  process.exit(2);
}
const chosen = (asked.length === 0 ? usualGroups : asked) as readonly Group[];

let tally: Tally = { passed: 0, failed: 0, skipped: 0, failures: [] };
for (const group of groups.filter((each) => chosen.includes(each))) {
  const begin = performance.now();
  console.log(`\n── ${group}`);
  if (group === "checks") tally = add(tally, checks());
  else if (group === "contracts") tally = add(tally, await contracts());
  else tally = add(tally, await runFiles(testFiles(group)));
  console.log(`── ${group}: ${Math.round((performance.now() - begin) / 1000)} s`);
}

if (tally.failures.length > 0)
  console.log(`\nFailed:\n${tally.failures.map((name) => `  ${name}`).join("\n")}`);
const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : "";
console.log(`\n${tally.passed} passed, ${tally.failed} failed${skipped}`);
process.exit(tally.failed > 0 || tally.passed === 0 ? 1 : 0);
