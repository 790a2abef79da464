import { relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { compileCache } from "../support/binary.ts";
import { root, says } from "./files.ts";
import { add, type Tally } from "./tally.ts";

/**
 * Files at once. A test of the market waits more than it computes. Three at once take a third less time on two cores,
 * and leave nothing for what a busy machine does beside them.
 */
const AT_ONCE = 2;
const FILE_TIMEOUT_MS = 15 * 60_000;

/** Runs the files, each in a process of its own: long ones first, those that need the machine for themselves last. */
export async function runFiles(files: readonly string[]): Promise<Tally> {
  const alone = files.filter((path) => says("alone", path));
  const others = files.filter((path) => !says("alone", path));
  // One that began late would run by itself at the end, on one core.
  const beside = others.toSorted((a, b) => Number(says("long", b)) - Number(says("long", a)));
  return add(await runAtOnce(AT_ONCE, beside), await runAtOnce(1, alone));
}

/** Suites count for nothing. */
async function runAtOnce(concurrency: number, files: readonly string[]): Promise<Tally> {
  if (files.length === 0) return { passed: 0, failed: 0, skipped: 0, failures: [] };
  const env = { ...process.env, NODE_COMPILE_CACHE: compileCache };
  const tests = run({ files: [...files], cwd: root, concurrency, env, timeout: FILE_TIMEOUT_MS });
  let [passed, failed, skipped] = [0, 0, 0];
  const failures: string[] = [];
  tests.on("test:pass", ({ skip, todo, details }) => {
    if (details.type === "suite") return;
    if (skip !== undefined || todo !== undefined) skipped++;
    else passed++;
  });
  tests.on("test:fail", ({ name, file, details, skip, todo }) => {
    if (details.type === "suite") return;
    if (skip !== undefined || todo !== undefined) return;
    failed++;
    const where = file === undefined ? "" : `${relative(root, file)}: `;
    failures.push(`${where}${name}\n${reasonOf(details.error)}`);
  });
  const output = tests.compose(new spec());
  for await (const chunk of output) process.stdout.write(chunk as Buffer);
  return { passed, failed, skipped, failures };
}

const REASON_LINES = 40;
const REASON_CHARACTERS = 4_000;

/** The end of a long reason says most: what a command printed last. */
function reasonOf({ cause, message }: Error): string {
  const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause ?? message);
  const lines = reason.slice(-REASON_CHARACTERS).split("\n").slice(-REASON_LINES);
  return lines.map((line) => `      ${line}`).join("\n");
}
