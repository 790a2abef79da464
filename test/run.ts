// `npm test`: checks, contract and unit tests, then everything else; `npm test -- unit e2e` runs some groups only.
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
async function runGroup(group: Group, run: () => Tally | Promise<Tally>): Promise<void> {
  const begin = performance.now();
  console.log(`\n── ${group}`);
  tally = add(tally, await run());
  console.log(`── ${group}: ${Math.round((performance.now() - begin) / 1000)} s`);
}
const filesOf = (group: Group) => runGroup(group, () => runFiles(testFiles(group)));

if (chosen.includes("checks")) await runGroup("checks", checks);
if (chosen.includes("contracts") && chosen.includes("unit")) {
  // Hardhat compiles on one core for minutes: the unit tests run beside it, and what it prints comes after theirs.
  let printed = "";
  const beside = contracts((text) => {
    printed += text;
  });
  await filesOf("unit");
  await runGroup("contracts", async () => {
    const counted = await beside;
    process.stdout.write(printed);
    return counted;
  });
} else if (chosen.includes("unit")) await filesOf("unit");
else if (chosen.includes("contracts"))
  await runGroup("contracts", () => contracts((text) => void process.stdout.write(text)));
for (const group of ["integration", "adversarial", "e2e", "torch"] as const)
  if (chosen.includes(group)) await filesOf(group);

if (tally.failures.length > 0)
  console.log(`\nFailed:\n${tally.failures.map((name) => `  ${name}`).join("\n")}`);
const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : "";
console.log(`\n${tally.passed} passed, ${tally.failed} failed${skipped}`);
process.exit(tally.failed > 0 || tally.passed === 0 ? 1 : 0);
