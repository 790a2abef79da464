import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ichainRun, temporaryFolder } from "../support/binary.ts";

const example = fileURLToPath(new URL("../../examples/federated/fed.yaml", import.meta.url));

test("simulate plays the example: a line a round, the end, and a curve; the same seed prints the same", async () => {
  using folder = temporaryFolder();
  const plot = folder.join("curve.svg");
  const [one, two] = await Promise.all([
    ichainRun(["simulate", example, "--json", "--plot", plot]),
    ichainRun(["simulate", example, "--json", "--plot", plot]),
  ]);
  assert.equal(one.code, 0, one.stderr);
  assert.equal(one.stdout, two.stdout);
  const lines = one.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ event, round }) => round ?? event),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, "end"],
  );
  const end = lines.at(-1);
  assert.ok(end.accuracy > 0.8, String(end.accuracy));
  const cheats = end.earned.filter(({ bad }: { bad?: string }) => bad !== undefined);
  assert.deepEqual(cheats.map(({ bad }: { bad: string }) => bad).sort(), ["copy", "lazy", "sign5"]);
  assert.match(readFileSync(plot, "utf8"), /^<svg [^>]*>[\s\S]*<polyline points="[\d., ]+"[\s\S]*<\/svg>\n$/);
});

test("simulate takes another strategy and seed, and prints a table for people", async () => {
  const { code, stdout } = await ichainRun(["simulate", example, "--strategy", "median", "--seed", "two"]);
  assert.equal(code, 0);
  assert.match(stdout, /Round 10: accuracy 0\.\d{4}/);
  assert.match(stdout, /After 10 rounds of median/);
});

test("simulate names the field of a file that is wrong, and a data file that is missing", async () => {
  using folder = temporaryFolder();
  const path = folder.join("fed.yaml");
  const code = async (text: string): Promise<string> => {
    writeFileSync(path, text);
    const { stdout } = await ichainRun(["simulate", path, "--json"]);
    return JSON.parse(stdout).error.code;
  };
  const file = (simulation: string) =>
    `version: 1\nname: a\nfederated: {providers: 2, rounds: 1}\nsimulation: {${simulation}}\n`;
  assert.equal(await code(file("train: {file: none.npz}")), "DATA_UNREADABLE");
  assert.equal(await code(file("train: {file: fed.yaml}")), "DATA_INVALID");
  assert.equal(await code(file("train: {generated: {}}, hidden: 17")), "TRIAL_INVALID");
  assert.equal(await code(file("train: {generated: {}}, bad: {sign: 3}")), "TRIAL_INVALID");
  assert.equal(await code("version: 2"), "TRIAL_INVALID");
});
