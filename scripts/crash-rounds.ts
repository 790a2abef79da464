/**
 * Kills the lead of a federated job and one of its providers with SIGKILL at each step of their journals, starts them
 * again, and looks whether the job ends as it does undisturbed. Prints what it found to stderr and one JSON object to
 * stdout. Exit code 1 when anything is wrong.
 * Usage: node scripts/crash-rounds.ts [step…]
 */
import { crashRounds } from "../test/support/crash/rounds.ts";

const only = process.argv.slice(2);
const table = await crashRounds({
  wants: ({ step }) => only.length === 0 || only.includes(step),
  say: (text) => console.error(text),
});
console.log(JSON.stringify(table));
process.exit(table.failures.length > 0 ? 1 : 0);
