import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";

/*
 * `NAME.tree` is the specification of `NAME.t.sol`: its root is the contract, each of its leaves one test. The name of
 * a test is the leaf after the innermost "when" above it: "when posted" over "the requester can cancel" is
 * `test_WhenPosted_TheRequesterCanCancel`, "it reverts" under "when posted twice" `test_RevertWhen_PostedTwice`. Other
 * branches group tests and are in no name. Upper case, punctuation and `Fuzz` do not count.
 */

const folder = new URL(".", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, folder), "utf8");
const sources = globSync("**/*.t.sol", { cwd: folder }).toSorted();
/** A level of a tree is four characters of box drawing. */
const INDENT = 4;

for (const path of sources.filter((each) => testsIn(read(each)).length > 0)) {
  test(`each leaf of ${path.replace(".t.sol", ".tree")} is a test, and each test of ${path} a leaf`, () => {
    assert.deepEqual(differences(read(path.replace(".t.sol", ".tree")), read(path)), []);
  });
}

test("each .tree specifies a .t.sol", () => {
  const trees = globSync("**/*.tree", { cwd: folder }).map((path) => path.replace(".tree", ".t.sol"));
  assert.deepEqual(
    trees.filter((path) => !sources.includes(path)),
    [],
  );
});

test("INVARIANTS.md names every campaign, and no test that does not exist", () => {
  const text = read("INVARIANTS.md");
  const names = ["invariants", "federated", "campaigns", "owners", "improvements"];
  const files = names.map((name) => `invariant/${name}.t.sol`);
  const campaigns = files.flatMap((path) => [...read(path).matchAll(/function (invariant_\w+)/g)]);
  for (const [, name] of campaigns) assert.ok(text.includes(`\`${name}\``), name);
  for (const [, contract, name] of text.matchAll(/`(\w+Test)\.(\w+)`/g)) {
    const source = sources.map(read).find((each) => each.includes(`contract ${contract} `));
    assert.ok(source?.includes(`function ${name}(`), `${contract}.${name}`);
  }
});

test("a leaf without a test, a test without a leaf and another contract are differences", () => {
  const source =
    "contract ATest is Steps { function test_RevertWhen_Late() function testFuzz_WhenEarly_ItPays() }";
  const tree = "ATest\n├── when early\n│   └── it pays\n└── when late\n    └── it reverts\n";
  assert.deepEqual(differences(tree, source), []);
  assert.deepEqual(differences(`${tree}└── it is free\n`, source), ["no test for the leaf: it is free"]);
  assert.deepEqual(differences(tree.replace("it pays", "it waits"), source), [
    "no test for the leaf: when early, it waits",
    "no leaf for the test: WhenEarly_ItPays",
  ]);
  assert.deepEqual(differences(tree.replace("ATest", "BTest"), source), ["no contract BTest"]);
});

/** In what a tree and a test contract differ, one sentence each. */
function differences(tree: string, source: string): string[] {
  const [root, ...leaves] = leavesOf(tree);
  const names = testsIn(source);
  return [
    ...(source.includes(`contract ${root} is `) ? [] : [`no contract ${root}`]),
    ...leaves.filter((leaf, i) => leaves.indexOf(leaf) < i).map((leaf) => `two leaves: ${leaf}`),
    ...leaves
      .filter((leaf) => !names.some((name) => letters(name) === letters(leaf)))
      .map((leaf) => `no test for the leaf: ${leaf}`),
    ...names
      .filter((name) => !leaves.some((leaf) => letters(leaf) === letters(name)))
      .map((name) => `no leaf for the test: ${name}`),
  ];
}

/** A tree's root, then its leaves, each with the innermost "when" above it. */
function leavesOf(tree: string): string[] {
  const nodes = tree
    .trimEnd()
    .split("\n")
    .map((line) => ({ depth: line.search(/[^│├└─ ]/) / INDENT, text: line.replace(/^[│├└─ ]*/, "") }));
  const above: string[] = [];
  return nodes.flatMap(({ depth, text }, i) => {
    assert.ok(Number.isInteger(depth) && depth <= above.length, `indented by a level: ${text}`);
    above.length = depth;
    above.push(text);
    if (depth > 0 && (nodes[i + 1]?.depth ?? 0) > depth) return [];
    const condition = above.slice(0, depth).findLast((branch) => branch.startsWith("when "));
    if (condition === undefined) return [text];
    return [text === "it reverts" ? `revert ${condition}` : `${condition}, ${text}`];
  });
}

/** Names of a test contract's tests, without their prefix. */
function testsIn(source: string): string[] {
  return [...source.matchAll(/function test(?:Fuzz)?_(\w+)\(/g)].map(([, name]) => name!);
}

function letters(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]/g, "");
}
