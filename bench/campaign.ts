// Plays the paper's experiment on real text: 504 rows in six days by a good agent that also fixes and a malicious one, on
// 0xDeCA10B's perceptron and the review sentences of Pang and Lee, with fixing on and off, several seeds; the same for naive Bayes and
// the nearest centroid, which begin with 2,000 right rows. A table on stdout, and what to make of it.
//
//   npm run -s sim:campaign -- --data FOLDER            rt-polarity.{neg,pos}, imdb-vocabulary.json, imdb-sentiment-model.json
//   npm run -s sim:campaign -- --data FOLDER --seeds 3
//
// Without the files it says so and ends with 0.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { scenarioSchema } from "../src/protocol/campaign/scenario.ts";
import type { Address } from "../src/protocol/ids.ts";
import { type Cast, type PlayedDay, ScenarioGame } from "../src/roles/campaign/simulation/play.ts";
import { loadScenarioData } from "../src/roles/campaign/simulation/rows.ts";

const { values } = parseArgs({
  options: { data: { type: "string", default: "." }, seeds: { type: "string", default: "5" } },
});
const files = {
  negative: "rt-polarity.neg",
  positive: "rt-polarity.pos",
  vocabulary: "imdb-vocabulary.json",
  model: "imdb-sentiment-model.json",
};
const missing = Object.values(files).find((name) => !existsSync(join(values.data, name)));
if (missing !== undefined) {
  console.log(`${missing} is not in ${values.data}: nothing is measured. Name the folder with --data.`);
  process.exit(0);
}
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1);

const account = (n: number) => `0x${n.toString(16).padStart(40, "0")}` as Address;
const cast: Cast = {
  owner: account(1),
  agents: new Map([
    ["good", account(2)],
    ["bad", account(3)],
  ]),
  panel: [account(4), account(5), account(6)],
};

type Kind = "perceptron" | "bayes" | "centroid";

/** The days of one campaign. */
async function play(model: Kind, fixing: boolean, seed: number): Promise<readonly PlayedDay[]> {
  const scenario = scenarioSchema.parse({
    version: 1,
    name: "the paper's",
    campaign: {
      ...{ deposit: "0.05", price: "0.01", reward: "0.01", bond: "0.05", fee: "0.01" },
      ...{ rows: 1000, capacity: 500 },
    },
    simulation: {
      ...{ seed, days: 6, balance: "10", fixing, model, start: model === "perceptron" ? 0 : 2000 },
      ...{ hidden: 4000, data: files },
      agents: {
        good: { kind: "honest", rows: 50, fixes: true },
        bad: { kind: "malicious", rows: 34 },
      },
    },
  });
  const data = await loadScenarioData(scenario, values.data);
  return [...new ScenarioGame(scenario, data, cast, 1_767_225_600).days()];
}

const mean = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0) / list.length;
const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
const coins = (amount: bigint) => Number(amount / 10n ** 14n) / 10_000;
const row = (...cells: readonly string[]) =>
  console.log(
    cells
      .map((cell) => cell.padEnd(14))
      .join("")
      .trimEnd(),
  );

console.log(`Six days, seeds ${seeds.join(", ")}; means. Each agent begins with 10 coin.\n`);
row("model", "fixing", "rows", "wrong", "before", "after", "good", "malicious");
const growth: string[] = [];
for (const model of ["perceptron", "bayes", "centroid"] as const) {
  const after: number[] = [];
  for (const fixing of [true, false]) {
    const games = await Promise.all(seeds.map((seed) => play(model, fixing, seed)));
    const [first, last] = [games.map((days) => days[0]!), games.map((days) => days.at(-1)!)];
    after.push(mean(last.map(({ accuracy }) => accuracy)));
    const balance = (name: string) => mean(last.map(({ balances }) => coins(balances.get(name)!))).toFixed(2);
    row(
      ...[model, fixing ? "on" : "off", mean(last.map(({ rows }) => rows)).toFixed(0)],
      ...[
        mean(last.map(({ wrong }) => wrong)).toFixed(0),
        percent(mean(first.map(({ accuracy }) => accuracy))),
      ],
      ...[percent(after.at(-1)!), balance("good"), balance("bad")],
    );
    if (model === "perceptron" && fixing) {
      growth.push(
        `rows by day, seed 1: ${games[0]!.map(({ rows }) => rows).join(", ")}`,
        `good by day, seed 1: ${games[0]!.map(({ balances }) => coins(balances.get("good")!).toFixed(2)).join(", ")}`,
        `malicious by day:    ${games[0]!.map(({ balances }) => coins(balances.get("bad")!).toFixed(2)).join(", ")}`,
      );
    }
  }
  const lost = after[0]! - after[1]!;
  growth.push(`${model}: without fixes ${(100 * lost).toFixed(2)} points below the accuracy with them`);
}
console.log(`\n${growth.join("\n")}`);
console.log(`
The paper: 25,000 to 25,500 rows in six days, 78 to 82.9 %, the malicious agent near zero. Rows and balances come out
alike. The accuracies do not, and need not: 0.829 is the accuracy that 0xDeCA10B's migration scripts state for their
stock model, the paper's sentences are long IMDB reviews, these are single ones, of which a vocabulary of 1,000 words
knows few, and 2 % more rows are hardly worth five points.`);
