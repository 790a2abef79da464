import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { IchainError } from "../../../src/errors/error.ts";
import { type Scenario, scenarioSchema } from "../../../src/protocol/campaign/scenario.ts";
import type { Address } from "../../../src/protocol/ids.ts";
import { Agenda } from "../../../src/roles/campaign/simulation/agenda.ts";
import { type Cast, ScenarioGame } from "../../../src/roles/campaign/simulation/play.ts";
import { loadScenarioData } from "../../../src/roles/campaign/simulation/rows.ts";
import { temporaryFolder } from "../../support/binary.ts";
import { loadReviews, reviewFiles, withReviews } from "../../support/imdb.ts";

const account = (n: number) => `0x${n.toString(16).padStart(40, "0")}` as Address;
const TEN = 10n ** 19n;

function scenarioOf(change: object = {}): Scenario {
  return scenarioSchema.parse({
    version: 1,
    name: "a",
    campaign: {
      ...{ deposit: "0.05", price: "0.01", reward: "0.01", bond: "0.05", fee: "0.01" },
      ...{ rows: 1000, capacity: 500 },
    },
    simulation: {
      ...{ days: 6, balance: "10", model: "bayes", start: 300, hidden: 500 },
      data: { generated: { rows: 3000 } },
      agents: { good: { rows: 50, fixes: true }, bad: { kind: "malicious", rows: 34 } },
      ...change,
    },
  });
}

async function play(scenario: Scenario, folder = ".") {
  const names = Object.keys(scenario.simulation.agents);
  const cast: Cast = {
    owner: account(1),
    agents: new Map(names.map((name, i) => [name, account(2 + i)])),
    panel: Array.from({ length: scenario.simulation.panel.members }, (_, i) => account(100 + i)),
  };
  const game = new ScenarioGame(scenario, await loadScenarioData(scenario, folder), cast, 1_800_000_000);
  const days = [...game.days()];
  return { game, cast, days, first: days[0]!, last: days.at(-1)! };
}

describe("a simulated data campaign", () => {
  it("is the same for the same seed, and another for another", async () => {
    const [one, two, other] = [
      await play(scenarioOf()),
      await play(scenarioOf()),
      await play(scenarioOf({ seed: 2 })),
    ];
    assert.deepEqual(one.days, two.days);
    assert.deepEqual(one.game.played, two.game.played);
    assert.notDeepEqual(one.game.played, other.game.played);
  });

  it("leaves a good agent that fixes above its start, a malicious one near nothing, and no wrong row", async () => {
    const { game, cast, last } = await play(scenarioOf());
    assert.ok(last.balances.get("good")! > TEN, String(last.balances.get("good")));
    assert.ok(last.balances.get("bad")! < TEN / 50n, String(last.balances.get("bad")));
    assert.equal(last.wrong, 0);
    assert.equal(game.rules.held(), 0n, "nothing is stuck");
    const paid = game.played.reduce((sum, { payment }) => sum + payment, 0n) + 1000n * game.terms.price;
    const owed = [...game.rules.owed.values()].reduce((sum, one) => sum + one, 0n);
    assert.equal(owed, paid, "no wei is lost");
    assert.ok(!game.rules.owed.has(cast.panel[0]!), "no verdict of an honest judge is appealed");
  });

  it("keeps malicious rows where no one fixes, and learns worse", async () => {
    const [on, off] = [await play(scenarioOf()), await play(scenarioOf({ fixing: false }))];
    assert.equal(off.last.wrong, 204);
    assert.deepEqual(off.last.fixes, { right: 0, false: 0 });
    assert.ok(off.last.balances.get("bad")! > TEN, "its rows are paid like good ones");
    assert.equal(on.first.accuracy, off.first.accuracy);
    assert.ok(on.last.accuracy >= off.last.accuracy, `${on.last.accuracy} and ${off.last.accuracy}`);
  });

  for (const judge of ["yes", "silent"] as const) {
    it(`gives no more to those that collude where the judge says ${judge}, because the panel decides`, async () => {
      const agents = {
        good: { rows: 40, fixes: true },
        pair: { kind: "colluding", rows: 4, fixes: true },
      };
      const { game, cast, last } = await play(scenarioOf({ judge, agents, panel: { members: 5 } }));
      assert.ok(last.fixes.false > 0, "false fixes were tried");
      assert.equal(last.wrong, 0, "and changed nothing");
      assert.ok(last.balances.get("pair")! < TEN, "they cost their bonds");
      assert.ok(last.balances.get("good")! > TEN, "the good agent ends above its start");
      assert.ok(
        cast.panel.some((member) => game.rules.owed.has(member)),
        "panels are paid",
      );
    });
  }

  it(
    "plays the paper's six days on real text: rows, balances, and no wrong row in the end",
    withReviews,
    async () => {
      const scenario = scenarioOf({ model: "perceptron", start: 0, hidden: 2000, data: reviewFiles });
      const { first, last } = await play(scenario);
      assert.ok(last.rows >= 490 && last.wrong === 0, `${last.rows} rows, ${last.wrong} wrong`);
      assert.ok(last.balances.get("good")! > 2n * TEN && last.balances.get("bad")! < TEN / 50n);
      assert.ok(last.accuracy > first.accuracy, `${first.accuracy} before, ${last.accuracy} after`);
      assert.ok(loadReviews(0).length > 5000);
    },
  );

  it("refuses data that is missing, too little, or not what it should be", async () => {
    using folder = temporaryFolder();
    const refuses = (scenario: Scenario, code: string) =>
      assert.rejects(loadScenarioData(scenario, folder.path), (error: unknown) => {
        assert.ok(error instanceof IchainError);
        assert.equal(error.code, code);
        return true;
      });
    await refuses(scenarioOf({ hidden: 2900 }), "DATA_INVALID");
    const names = { negative: "n", positive: "p", vocabulary: "v.json", model: "m.json" };
    await refuses(scenarioOf({ data: names }), "DATA_UNREADABLE");
    for (const name of ["n", "p"]) writeFileSync(folder.join(name), "a word\n".repeat(2000));
    for (const vocabulary of ["{", "{}", '{"word": -1}', '{"word": 70000}']) {
      writeFileSync(folder.join("v.json"), vocabulary);
      await refuses(scenarioOf({ data: names }), "DATA_INVALID");
    }
    writeFileSync(folder.join("v.json"), '{"word": 3}');
    for (const model of [
      '{"type": "dense"}',
      '{"type":"sparse perceptron","weights":[1],"intercept":0,"learningRate":1}',
    ]) {
      writeFileSync(folder.join("m.json"), model);
      await refuses(scenarioOf({ data: names }), "DATA_INVALID");
    }
  });
});

it("an agenda does what is due in order, what is put down meanwhile included", () => {
  const agenda = new Agenda();
  const done: string[] = [];
  agenda.put(3, () => done.push("three"));
  agenda.put(1, (at) => {
    done.push("one");
    agenda.put(at + 1, () => done.push("two"));
    agenda.put(at, () => done.push("one again"));
  });
  agenda.put(9, () => done.push("nine"));
  agenda.run(3);
  assert.deepEqual(done, ["one", "one again", "two", "three"]);
});
