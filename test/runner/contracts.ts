import { spawn } from "node:child_process";
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";
import { root } from "./files.ts";
import type { Tally } from "./tally.ts";

/** Hardhat's own runner, Solidity and TypeScript; its summary lines are the count. `write` gets what it prints. */
export async function contracts(write: (text: string) => void): Promise<Tally> {
  const child = spawn("npx", ["--no-install", "hardhat", "test"], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    write(text);
  });
  const [status] = (await once(child, "close")) as [number | null];
  const text = stripVTControlCharacters(output);
  const failed = total(text, "failing");
  // A crash before the summary must not look like a success with nothing to count.
  const crashed = status !== 0 && failed === 0;
  return {
    passed: total(text, "passing"),
    failed: failed + (crashed ? 1 : 0),
    skipped: total(text, "skipped"),
    failures: status === 0 ? [] : failures(text),
  };
}

/** The last `12 passing` on a line of its own: the grand total follows the runners' own. */
function total(text: string, word: string): number {
  return Number([...text.matchAll(new RegExp(`^\\s*(\\d+) ${word}\\b`, "gm"))].at(-1)?.[1] ?? 0);
}

/** The titles of the failing tests, which the runner lists below its summary: `1) Invariant10Test#invariant_Name()`. */
function failures(text: string): readonly string[] {
  const lists = text
    .split(/^\s*\d+ failing\b/m)
    .slice(1)
    .join("\n");
  const titles = [...lists.matchAll(/^ *\d+\) (.+)$/gm)].map(([, title]) => `contracts: ${title}`);
  return titles.length > 0 ? titles : ["contract tests (see above)"];
}
