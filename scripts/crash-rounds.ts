/**
 * Kills the parties of a federated job with SIGKILL at each step of their journals, starts them again, and looks whether
 * the job ends as it does undisturbed. Prints what it found to stderr and one JSON object to stdout. Exit code 1 when
 * anything is wrong.
 * Usage: node scripts/crash-rounds.ts [led|seats|own] [step…]
 */
import { courses, crashRounds } from "../test/support/crash/rounds.ts";

const [first = "", ...rest] = process.argv.slice(2);
const isCourse = Object.hasOwn(courses, first);
const only = isCourse ? rest : process.argv.slice(2);
const table = await crashRounds({
  course: isCourse ? (first as keyof typeof courses) : "led",
  wants: ({ role, step }) => only.length === 0 || only.includes(step) || only.includes(role),
  say: (text) => console.error(text),
});
console.log(JSON.stringify(table));
process.exit(table.failures.length > 0 ? 1 : 0);
