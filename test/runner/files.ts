import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** In the order in which they run: what fails fast comes first. */
export const usualGroups = ["checks", "contracts", "unit", "integration", "adversarial", "e2e"] as const;
/** `torch` runs only when it is asked for: it builds a runtime of 1.3 GB. */
export const groups = [...usualGroups, "torch"] as const;
export type Group = (typeof groups)[number];

/** The files of a group. A file that asks for root, Tor or Docker is an integration test. */
export function testFiles(group: Group): string[] {
  return globSync("test/**/*.test.ts", { cwd: root })
    .filter((path) => groupOf(path) === group)
    .toSorted()
    .map((path) => `${root}${path}`);
}

/**
 * Whether a file says of one of its tests that it is so: `alone`, because it measures the machine, or looks at all of
 * it; `long`, because it takes minutes.
 */
export function says(word: "alone" | "long", path: string): boolean {
  return new RegExp(String.raw`needs\([^)]*"${word}"`).test(readFileSync(path, "utf8"));
}

function groupOf(path: string): Group {
  const folder = path.split("/")[1];
  if (folder === "contracts" || folder === "e2e" || folder === "adversarial" || folder === "torch")
    return folder;
  return readFileSync(`${root}${path}`, "utf8").includes("support/require.ts") ? "integration" : "unit";
}
