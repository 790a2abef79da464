import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = `${root}test/contracts`;
const patches = globSync("*.patch", { cwd: `${folder}/mutants` });
const rules = globSync("*.patch", { cwd: `${folder}/mutants/rules` });
const INVARIANTS = 14;

it("every invariant has its campaign and a mutant that applies to the contracts as they are", () => {
  const sources = ["invariants", "federated", "campaigns", "owners", "improvements"].map((name) =>
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
  for (const patch of patches) apply(patch);
});

it("every mutant of a rule applies, and names a test that catches it", () => {
  const sources = globSync("{federated,campaign}/*.t.sol", { cwd: folder }).map((path) =>
    readFileSync(`${folder}/${path}`, "utf8"),
  );
  assert.ok(rules.length > 0);
  for (const patch of rules) {
    apply(`rules/${patch}`);
    const text = readFileSync(`${folder}/mutants/rules/${patch}`, "utf8");
    const [, contract, name] = /^Caught by (\w+)\.(\w+)\n/.exec(text) ?? [];
    const source = sources.find((one) => one.includes(`contract ${contract} `));
    assert.ok(source?.includes(`function ${name}(`), patch);
  }
});

function apply(patch: string): void {
  const file = `test/contracts/mutants/${patch}`;
  execFileSync("git", ["apply", "--check", file], { cwd: root, stdio: "pipe" });
}
