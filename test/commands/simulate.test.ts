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
  const code = async (text: string, ...options: string[]): Promise<string> => {
    writeFileSync(path, text);
    const { stdout } = await ichainRun(["simulate", path, "--json", ...options]);
    return JSON.parse(stdout).error.code;
  };
  const file = (simulation: string) =>
    `version: 1\nname: a\nfederated: {providers: 2, rounds: 1}\nsimulation: {${simulation}}\n`;
  assert.equal(await code(file("train: {file: none.npz}")), "DATA_UNREADABLE");
  assert.equal(await code(file("train: {file: fed.yaml}")), "DATA_INVALID");
  assert.equal(await code(file("train: {generated: {}}, hidden: 17")), "TRIAL_INVALID");
  assert.equal(await code(file("train: {generated: {}}, bad: {sign: 3}")), "TRIAL_INVALID");
  assert.equal(await code("version: 2"), "TRIAL_INVALID");
  const noised = file("train: {generated: {}}").replace(
    "rounds: 1",
    "strategy: fedavg, rounds: 1, privacy: {clip: 1, noise: 2}",
  );
  assert.equal(
    await code(noised, "--strategy", "gate"),
    "TRIAL_INVALID",
    "options are checked with the file",
  );
});

test("simulate tells ε after each round, and how a job ends in which a cheat is proven", async () => {
  using folder = temporaryFolder();
  const path = folder.join("fed.yaml");
  writeFileSync(
    path,
    `version: 1
name: a
federated:
  { providers: 4, rounds: 3, strategy: fedavg, audit: 4, onCheat: refund, pool: 0.13, deposit: 0.001,
    privacy: { clip: 1, noise: 2 } }
simulation: { train: { generated: { rows: 400 } }, bad: { sign: 2 } }
`,
  );
  const [{ stdout }, { stdout: text }] = await Promise.all([
    ichainRun(["simulate", path, "--json"]),
    ichainRun(["simulate", path]),
  ]);
  const [round, end] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(round.privacy, { epsilon: 4.73, delta: 0.00001 });
  assert.deepEqual(
    { ...round.end, banned: round.end.banned.length },
    { refund: "130000000000000000", banned: 2, award: "1000000000000000", rest: "0" },
  );
  assert.equal(end.price, "130000000000000000");
  assert.match(text, /ε = 4\.73 at δ = 0\.00001/);
  assert.match(text, /0\.130000 goes back; banned: \w{8}, \w{8}; 0\.001000 of the deposits to each/);
});

test("a ledger that simulate keeps is verified and traced; one that was touched is not", async () => {
  using folder = temporaryFolder();
  const [ledger, svg, dot] = [folder.join("a.ledger"), folder.join("a.svg"), folder.join("a.dot")];
  assert.equal((await ichainRun(["simulate", example, "--ledger", ledger])).code, 0);
  const json = async (...args: string[]) => JSON.parse((await ichainRun([...args, "--json"])).stdout);
  const found = await json("verify", ledger);
  assert.deepEqual([found.name, found.rounds, found.uploads], ["clouds", 10, 100]);
  const traced = await json("trace", ledger, found.model.slice(2, 10), "--svg", svg, "--dot", dot);
  assert.deepEqual(traced.models[0].model, found.model);
  assert.equal(traced.models.length, 10);
  assert.equal(
    new Set(traced.models.flatMap((model: { parent: string }) => model.parent)).has(traced.start),
    true,
  );
  const parts = traced.models.flatMap((model: { parts: object[] }) => model.parts);
  assert.equal(readFileSync(svg, "utf8").match(/<circle /g)?.length, parts.length);
  assert.equal(readFileSync(dot, "utf8").match(/ -> /g)?.length, 10 + 2 * parts.length);
  const tip = `0x${"1".repeat(64)}`;
  assert.equal((await json("verify", ledger, "--tip", tip)).error.code, "LEDGER_OTHER_TIP");
  writeFileSync(ledger, readFileSync(ledger, "utf8").replace('"weight":', '"weight":1'));
  assert.equal((await json("verify", ledger)).error.code, "LEDGER_BROKEN");
  assert.equal((await json("trace", folder.join("none"))).error.code, "LEDGER_UNREADABLE");
});

test("simulate plays a data campaign: a line a day and the end; the same seed prints the same", async () => {
  using folder = temporaryFolder();
  const plot = folder.join("campaign.svg");
  const campaign = fileURLToPath(new URL("../../examples/campaign/campaign.yaml", import.meta.url));
  const [one, two, table, foreign] = await Promise.all([
    ichainRun(["simulate", campaign, "--json"]),
    ichainRun(["simulate", campaign, "--json"]),
    ichainRun(["simulate", campaign, "--seed", "two", "--plot", plot]),
    ichainRun(["simulate", campaign, "--ledger", "ledger", "--json"]),
  ]);
  assert.equal(one.code, 0, one.stderr);
  assert.equal(one.stdout, two.stdout);
  const lines = one.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ event, day }) => day ?? event),
    [0, 1, 2, 3, 4, 5, 6, "campaignEnd"],
  );
  const { agents, wrong } = lines.at(-1);
  const percent = Object.fromEntries(
    agents.map(({ name, percent }: { name: string; percent: number }) => [name, percent]),
  );
  assert.equal(wrong, 0);
  assert.ok(percent.good > 100 && percent.bad < 100 && percent.pair < 100, JSON.stringify(percent));
  assert.equal(readFileSync(plot, "utf8").match(/<polyline points="[\d., ]+"/g)?.length, 7);
  assert.match(table.stdout, /After 6 days: \d+ rows, 0 of them wrong/);
  assert.equal(JSON.parse(foreign.stdout).error.code, "USAGE");
});
