import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { type CampaignAction, fixStates } from "../../../src/protocol/campaign/actions.ts";
import { CampaignRules } from "../../../src/protocol/campaign/rules.ts";
import { type CampaignTerms, type FixPlace, NO_ROW } from "../../../src/protocol/campaign/terms.ts";
import type { Address } from "../../../src/protocol/ids.ts";
import { ChainCampaign } from "../../support/chain/campaign.ts";
import { COIN, deployMarket, ETHER, join, type Market, random32 } from "../../support/chain/escrow.ts";

const RUNS = Number(process.env.MODEL_RUNS ?? 30);
const VALIDATORS = 6;
const FIX_WINDOW = 1200;
const STEP = 400;
/** Kinds of actions. */
const KINDS = 10;

describe("data campaigns against a model of their interface", () => {
  let market: Market;

  before(async () => {
    market = await deployMarket(6 + VALIDATORS);
    for (const actor of market.actors.slice(6)) await join(market, actor, ETHER, 32);
    await market.rpc("evm_increaseTime", 10);
    await market.rpc("evm_mine");
  });
  after(() => market.close());

  it(`agree on every call and on every balance to the wei over ${RUNS} histories`, async () => {
    const done = new Map<string, number>();
    const choices = fc.array(fc.nat(1_000_000), { minLength: 30, maxLength: 50, size: "max" });
    await fc.assert(
      fc.asyncProperty(choices, async (picks) => {
        const snapshot = await market.rpc("evm_snapshot");
        const history = await History.begin(market);
        for (const pick of picks) {
          const kind = await history.step(pick);
          if (kind !== undefined) done.set(kind, (done.get(kind) ?? 0) + 1);
        }
        await history.compareMoney();
        await market.rpc("evm_revert", snapshot);
      }),
      { numRuns: RUNS, seed: 20_271, endOnFailure: true },
    );
    assert.equal(done.size, KINDS, `every call went through in some history: ${[...done]}`);
  });
});

/** One campaign on the chain and in the model, side by side. */
class History {
  readonly #market: Market;
  readonly #chain: ChainCampaign;
  readonly #rules: CampaignRules;
  #now: number;

  private constructor(market: Market, chain: ChainCampaign, rules: CampaignRules, now: number) {
    this.#market = market;
    this.#chain = chain;
    this.#rules = rules;
    this.#now = now;
  }

  static async begin(market: Market): Promise<History> {
    const now = (await market.now()) + 1;
    const terms: CampaignTerms = {
      ...{ owner: market.actors[1]!.address, token: COIN, slices: 0, specHash: random32(), examRoot: NO_ROW },
      ...{ deposit: 30_011n, price: 20_003n, reward: 10_007n, bond: 40_009n, fee: 1_001n },
      ...{ rows: 12, capacity: 3, closesAt: now + 3000, fixWindow: FIX_WINDOW, stepWindow: STEP },
    };
    const chain = await ChainCampaign.open(market, terms, now);
    return new History(market, chain, new CampaignRules(terms, now), now);
  }

  /** Time passes, or somebody does something that the model allows, or (one in four) anything at all. */
  async step(pick: number): Promise<CampaignAction["kind"] | undefined> {
    const [what, which] = [pick % 16, Math.floor(pick / 16)];
    if (what === 0) this.#now += STEP / 2;
    if (what === 1) this.#now += STEP + 1;
    if (what === 2 && which % 4 === 0) this.#now += FIX_WINDOW + 1;
    const all = this.#actions();
    // A close ends the adding, so it is seldom.
    const closes = what === 3 && which % 4 === 0;
    const allowed = all.filter(
      (action) => (action.kind !== "close" || closes) && this.#rules.allows(action, this.#now + 1),
    );
    const from = what < 12 && allowed.length > 0 ? allowed : all;
    // First which kind, so that those with few choices come as often.
    const kinds = [...new Set(from.map(({ kind }) => kind))];
    const kind = kinds[which % kinds.length]!;
    const some = from.filter((action) => action.kind === kind);
    return this.#do(some[Math.floor(which / kinds.length) % some.length]!);
  }

  async #do(action: CampaignAction): Promise<CampaignAction["kind"] | undefined> {
    this.#now += 1;
    const wanted = this.#rules.allows(action, this.#now);
    const payment = this.#rules.paymentOf(action, this.#now);
    const done = await this.#chain.do(action, this.#now, payment);
    const text = JSON.stringify(action);
    assert.equal(done, wanted, text);
    if (!done) return undefined;
    const drawn = action.kind === "empanel" ? await this.#chain.panelOf(action.place) : [];
    if (action.kind === "empanel") assert.equal(new Set(drawn).size, 3, "three, while the pool lasts");
    this.#rules.apply(action, this.#now, drawn);
    if ("place" in action) await this.#compareFix(action.place, text);
    return action.kind;
  }

  async #compareFix(place: FixPlace, what: string): Promise<void> {
    const { campaigns } = this.#market;
    const stored = await campaigns.getFunction("fixOf")(this.#chain.id, place);
    const { state, deadline, fixer } = this.#rules.fixOf(place)!;
    assert.deepEqual(
      [fixStates[Number(stored.state) - 1], Number(stored.deadline), stored.fixer],
      [state, deadline, fixer],
      what,
    );
    const row = await campaigns.getFunction("rowOf")(this.#chain.id, place.entry, place.row);
    const { fixes, taken, fixedBy } = this.#rules.rowOf(place);
    assert.deepEqual(
      [Number(row.fixes), Number(row.taken), row.isFixed],
      [fixes.length, taken, fixedBy !== undefined],
      what,
    );
  }

  async compareMoney(): Promise<void> {
    const { campaigns, provider, actors } = this.#market;
    let sum = this.#rules.held();
    for (const { address } of actors) {
      const owed = await this.#chain.owed(address);
      assert.equal(owed, this.#rules.owed.get(address) ?? 0n, address);
      sum += owed;
    }
    assert.equal(await provider.getBalance(await campaigns.getAddress()), sum, "held and owed");
    const stored = await campaigns.getFunction("campaignOf")(this.#chain.id);
    assert.equal(Number(stored.left), this.#rules.left);
    for (const [i, entry] of this.#rules.entries.entries()) {
      const { count, deposit, contested, refunded } = await campaigns.getFunction("entryOf")(
        this.#chain.id,
        i,
      );
      assert.deepEqual(
        [Number(count), deposit, Number(contested), refunded],
        [entry.count, entry.deposit, entry.contested, entry.refunded],
      );
    }
  }

  /** Everything that somebody could try now. */
  #actions(): CampaignAction[] {
    const [owner, author, fixer, other] = this.#market.actors.slice(1, 5).map(({ address }) => address) as [
      Address,
      Address,
      Address,
      Address,
    ];
    const entries = Array.from({ length: this.#rules.entries.length + 1 }, (_, entry) => entry);
    const places = this.#rules.places();
    return [
      ...[author, other].flatMap((by) => [1, 3].map((count): CampaignAction => ({ kind: "add", by, count }))),
      ...entries.flatMap((entry): CampaignAction[] => [
        { kind: "refund", by: other, entry },
        ...[fixer, other, author].flatMap((by) =>
          [0, 2].map(
            (row): CampaignAction => ({ kind: "fix", by, entry, row, removes: (entry + row) % 2 === 1 }),
          ),
        ),
      ]),
      ...places.flatMap((place): CampaignAction[] => [
        ...[owner, fixer].flatMap((by) =>
          [true, false].map((right): CampaignAction => ({ kind: "judge", by, place, right })),
        ),
        ...[author, fixer, other].map((by): CampaignAction => ({ kind: "appeal", by, place })),
        { kind: "empanel", by: other, place },
        { kind: "take", by: other, place },
        ...[...(this.#rules.fixOf(place)?.votes.keys() ?? []), other].flatMap((by, i): CampaignAction[] => [
          { kind: "commitVote", by, place, right: i % 2 === 0 },
          { kind: "revealVote", by, place },
        ]),
      ]),
      { kind: "close", by: owner },
      { kind: "close", by: other },
    ];
  }
}
