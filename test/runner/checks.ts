import { spawnSync } from "node:child_process";
import { root } from "./files.ts";
import type { Tally } from "./tally.ts";

/** What must hold before a test is worth running: it builds, its types agree, the linters are content. */
const commands: readonly (readonly [string, readonly string[]])[] = [
  ["builds", ["npm", "run", "--silent", "build"]],
  ["has consistent types", ["npx", "--no-install", "tsc", "--noEmit"]],
  ["is formatted and linted", ["npx", "--no-install", "biome", "check", "--error-on-warnings", "."]],
  ["has clean contracts", ["npx", "--no-install", "solhint", "--max-warnings", "0", "contracts/**/*.sol"]],
];

export function checks(): Tally {
  const failures: string[] = [];
  for (const [name, [program, ...args]] of commands) {
    const { status } = spawnSync(program!, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
    console.log(`${status === 0 ? "✔" : "✖"} the code ${name}`);
    if (status !== 0) failures.push(`the code ${name}`);
  }
  return { passed: commands.length - failures.length, failed: failures.length, skipped: 0, failures };
}
