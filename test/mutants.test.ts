import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = `${root}test/contracts`;
const patches = readdirSync(`${folder}/mutants`);
const INVARIANTS = 13;

it("every invariant has its campaign and a mutant that applies to the contracts as they are", () => {
  const sources = ["invariants", "federated", "campaigns", "owners"].map((name) =>
    readFileSync(`${folder}/invariant/${name}.t.sol`, "utf8"),
  );
  const campaigns = sources.flatMap((source) => [
    ...source.matchAll(/contract Invariant(\d+)Test is (\w+)/g),
  ]);
  const numbers = Array.from({ length: INVARIANTS }, (_, i) => i + 1);
  assert.deepEqual(
    campaigns.map(([, number]) => Number(number)),
    numbers,
  );
  // A job's campaign watches the invariant whose number it bears.
  for (const [, number, watched] of sources[0]!.matchAll(/contract Invariant(\d+)Test is Campaign\((\d+)\)/g))
    assert.equal(number, watched);
  assert.deepEqual(
    patches.map((name) => Number.parseInt(name, 10)).toSorted((a, b) => a - b),
    numbers,
  );
  for (const patch of patches) {
    execFileSync("git", ["apply", "--check", `test/contracts/mutants/${patch}`], {
      cwd: root,
      stdio: "pipe",
    });
  }
});
