import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const patches = readdirSync(`${root}test/contracts/mutants`);

it("every invariant has its campaign and a mutant that applies to the contracts as they are", () => {
  const source = readFileSync(`${root}test/contracts/invariant/invariants.t.sol`, "utf8");
  const campaigns = [...source.matchAll(/contract Invariant(\d)Test is Campaign\((\d)\)/g)];
  assert.deepEqual(
    campaigns.map(([, name, number]) => [name, number]),
    [..."12345678"].map((digit) => [digit, digit]),
  );
  assert.deepEqual(
    patches.map((name) => name.slice(0, 2)).toSorted(),
    campaigns.map(([, number]) => `${number}-`),
  );
  for (const patch of patches) {
    execFileSync("git", ["apply", "--check", `test/contracts/mutants/${patch}`], {
      cwd: root,
      stdio: "pipe",
    });
  }
});
