import { spawnSync } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { root, testFiles } from "./files.ts";
import type { Tally } from "./tally.ts";

/** Hardhat's own runner, Solidity and TypeScript; its summary lines are the count. */
export function contracts(): Tally {
  if (testFiles("contracts").length === 0) return { passed: 0, failed: 0, skipped: 0, failures: [] };
  const { status, stdout } = spawnSync("npx", ["--no-install", "hardhat", "test"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 256 * 2 ** 20,
  });
  process.stdout.write(stdout);
  const text = stripVTControlCharacters(stdout);
  const passed = total(text, "passing");
  const failed = total(text, "failing");
  // A crash before the summary must not look like a success with nothing to count.
  const crashed = status !== 0 && failed === 0;
  return {
    passed,
    failed: failed + (crashed ? 1 : 0),
    skipped: total(text, "skipped"),
    failures: status === 0 ? [] : ["contract tests (see above)"],
  };
}

/** The last `12 passing` on a line of its own: the grand total follows the runners' own. */
function total(text: string, word: string): number {
  return Number([...text.matchAll(new RegExp(`^\\s*(\\d+) ${word}\\b`, "gm"))].at(-1)?.[1] ?? 0);
}
