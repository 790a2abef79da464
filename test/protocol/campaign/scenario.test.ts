import assert from "node:assert/strict";
import { test } from "node:test";
import { wordsOf } from "../../../src/protocol/campaign/models/chain-model.ts";
import { scenarioSchema } from "../../../src/protocol/campaign/scenario.ts";

const campaign = {
  deposit: "0.03",
  price: "0.02",
  reward: "0.01",
  bond: "0.03",
  fee: "0.01",
  rows: 10,
  capacity: 5,
};
const simulation = { days: 1, data: { generated: {} }, agents: { good: { rows: 1 } } };
const fieldOf = (change: { campaign?: object; simulation?: object }) => {
  const parsed = scenarioSchema.safeParse({
    version: 1,
    name: "a",
    campaign: { ...campaign, ...change.campaign },
    simulation: { ...simulation, ...change.simulation },
  });
  return parsed.error?.issues[0]?.path.join(".");
};

test("a campaign.yaml is refused by the field that the contract would refuse, or that no simulation can play", () => {
  assert.equal(fieldOf({}), undefined);
  assert.equal(fieldOf({ campaign: { reward: "0.021" } }), "campaign.reward");
  assert.equal(fieldOf({ campaign: { fee: "0.0101" } }), "campaign.fee");
  assert.equal(fieldOf({ campaign: { rows: 0 } }), "campaign.rows");
  assert.equal(fieldOf({ campaign: { stepWindow: "299s" } }), "campaign.stepWindow");
  assert.equal(fieldOf({ simulation: { days: 0 } }), "simulation.days");
  assert.equal(fieldOf({ simulation: { panel: { members: 2, yes: 3 } } }), "simulation.panel.yes");
  assert.equal(fieldOf({ simulation: { agents: {} } }), "simulation.agents");
  assert.equal(fieldOf({ simulation: { agents: { "A b": {} } } }), "simulation.agents.A b");
  assert.equal(
    fieldOf({ simulation: { data: { generated: { rows: 1 } } } }),
    "simulation.data.generated.rows",
  );
});

test("the words of a text are those of the vocabulary, each once, ascending, at most 64", () => {
  const vocabulary = new Map([
    ["good", 7],
    ["film", 2],
    ["é", 5],
  ]);
  assert.deepEqual(wordsOf("A GOOD film, a good film — É!", vocabulary), [2, 5, 7]);
  assert.deepEqual(wordsOf("none", vocabulary), []);
  const many = new Map(Array.from({ length: 100 }, (_, i) => [`w${i}`, i]));
  assert.equal(wordsOf([...many.keys()].join(" "), many).length, 64);
});
