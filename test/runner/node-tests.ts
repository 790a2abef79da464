import { relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { type Group, root } from "./files.ts";
import type { Tally } from "./tally.ts";

/** Files at once: two cores, and a Tor network or a container each would starve one another. */
const concurrency: Readonly<Partial<Record<Group, number>>> = { unit: 2 };
const FILE_TIMEOUT_MS = 15 * 60_000;

/** Runs the files, each in a process of its own, and counts their tests (not their suites). */
export async function runFiles(group: Group, files: readonly string[]): Promise<Tally> {
  if (files.length === 0) return { passed: 0, failed: 0, skipped: 0, failures: [] };
  const tests = run({
    files: [...files],
    cwd: root,
    concurrency: concurrency[group] ?? 1,
    timeout: FILE_TIMEOUT_MS,
  });
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
    failures.push(`${file === undefined ? "" : `${relative(root, file)}: `}${name}`);
  });
  const output = tests.compose(new spec());
  for await (const chunk of output) process.stdout.write(chunk as Buffer);
  return { passed, failed, skipped, failures };
}
