import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Scenario, scenarioSchema } from "../../../src/protocol/campaign/scenario.ts";
import { type Cast, ScenarioGame } from "../../../src/roles/campaign/simulation/play.ts";
import { loadScenarioData } from "../../../src/roles/campaign/simulation/rows.ts";
import { ChainCampaign } from "../../support/chain/campaign.ts";
import { deployMarket, ETHER, join, type Market } from "../../support/chain/escrow.ts";

/** As many as a panel has, so that the chain draws whom the simulation draws. */
const POOL = 3;

const scenarioOf = (judge: "honest" | "yes" | "silent", yes = 0): Scenario =>
  scenarioSchema.parse({
    version: 1,
    name: "on an EVM",
    campaign: {
      ...{ deposit: "0.05", price: "0.02", reward: "0.01", bond: "0.06", fee: "0.01" },
      ...{ rows: 100, capacity: 7, fixWindow: "1d", stepWindow: "2h" },
    },
    simulation: {
      ...{ days: 2, judge, panel: { members: POOL, yes }, hidden: 50 },
      data: { generated: { rows: 400 } },
      agents: {
        good: { rows: 6, batch: 3, fixes: true },
        hasty: { kind: "careless", rows: 6, batch: 2 },
        bad: { kind: "malicious", rows: 5, batch: 5 },
        pair: { kind: "colluding", rows: 1, fixes: true },
      },
    },
  });

describe("a simulated campaign on a real EVM", () => {
  let market: Market;

  before(async () => {
    market = await deployMarket(6 + POOL);
    for (const actor of market.actors.slice(6)) await join(market, actor, ETHER, 32);
    await market.rpc("evm_increaseTime", 10);
    await market.rpc("evm_mine");
  });
  after(() => market.close());

  for (const [what, scenario] of [
    ["an honest judge", scenarioOf("honest")],
    ["a judge that always says yes", scenarioOf("yes")],
    ["a silent judge, and one member that always says yes", scenarioOf("silent", 1)],
  ] as const) {
    it(`leaves every account the same balance to the wei: ${what}`, async () => {
      const [owner, ...others] = market.actors.slice(1, 6).map(({ address }) => address);
      const cast: Cast = {
        owner: owner!,
        agents: new Map(Object.keys(scenario.simulation.agents).map((name, i) => [name, others[i]!])),
        panel: market.actors.slice(6).map(({ address }) => address),
      };
      const start = (await market.now()) + 1;
      const game = new ScenarioGame(scenario, await loadScenarioData(scenario, "."), cast, start);
      assert.equal([...game.days()].length, 3);
      assert.equal(game.rules.held(), 0n, "all money is owed in the end");

      const owed = async (account: (typeof cast.panel)[number]) =>
        (await market.campaigns.getFunction("owed")(account, game.terms.token)) as bigint;
      const everyone = [cast.owner, ...cast.agents.values(), ...cast.panel];
      const earlier = new Map(
        await Promise.all(everyone.map(async (one) => [one, await owed(one)] as const)),
      );
      const chain = await ChainCampaign.open(market, game.terms, start);
      for (const { action, at, payment } of game.played) {
        assert.ok(await chain.do(action, at, payment), JSON.stringify(action));
      }
      for (const account of everyone) {
        const gained = (await owed(account)) - earlier.get(account)!;
        assert.equal(gained, game.rules.owed.get(account) ?? 0n, account);
      }
      const kinds = new Set(game.played.map(({ action }) => action.kind));
      for (const kind of ["add", "fix", "take", "refund", "close"] as const) assert.ok(kinds.has(kind), kind);
      // A verdict that is right is not appealed.
      assert.equal(kinds.has("revealVote"), scenario.simulation.judge !== "honest");
    });
  }
});
