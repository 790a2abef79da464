import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import type { CampaignAction } from "../../../src/protocol/campaign/actions.ts";
import { CampaignRules } from "../../../src/protocol/campaign/rules.ts";
import { type CampaignTerms, type FixPlace, NO_ROW } from "../../../src/protocol/campaign/terms.ts";
import { ChainCampaign } from "../../support/chain/campaign.ts";
import { COIN, deployMarket, ETHER, join, type Market, random32 } from "../../support/chain/escrow.ts";

const SNAPSHOT = new URL("./gas.snapshot.json", import.meta.url);
const TOLERANCE = 0.02;
/** Of a draw, which looks at more or fewer members of the pool. */
const DRAW_TOLERANCE = 0.15;
const POOL = 6;
const STEP = 3600;
const FIX_WINDOW = 7200;

describe("gas of a data campaign", () => {
  let market: Market;

  before(async () => {
    market = await deployMarket(6 + POOL);
    for (const actor of market.actors.slice(6)) await join(market, actor, ETHER, 32);
    await market.rpc("evm_increaseTime", 10);
    await market.rpc("evm_mine");
  });
  after(() => market.close());

  /** A campaign whose calls are made one second after the other. */
  async function opened() {
    let now = (await market.now()) + 1;
    const [owner, author, fixer] = market.actors.slice(1, 4).map(({ address }) => address);
    const terms: CampaignTerms = {
      ...{ owner: owner!, token: COIN, slices: 0, specHash: random32(), examRoot: NO_ROW },
      ...{ deposit: 30_000n, price: 20_000n, reward: 10_000n, bond: 40_000n, fee: 1_000n },
      ...{ rows: 10_000, capacity: 1_000, closesAt: now + 86_400, fixWindow: FIX_WINDOW, stepWindow: STEP },
    };
    const chain = await ChainCampaign.open(market, terms, now);
    const rules = new CampaignRules(terms, now);
    const gas: Record<string, number> = { open: Number(chain.gas) };
    const act = async (action: CampaignAction, name: string = action.kind): Promise<void> => {
      now += 1;
      assert.ok(await chain.do(action, now, rules.paymentOf(action, now)), name);
      rules.apply(action, now, action.kind === "empanel" ? await chain.panelOf(action.place) : []);
      if (action.kind === "fix") gas.commitFix = Number(chain.commitGas);
      gas[name] = Number(chain.gas);
    };
    // Over an onion, with an entry left out.
    const publish = async (number: number, name: string): Promise<void> => {
      now += 1;
      await chain.publish(number, { without: "0x00000003", locator: `0x${"5a".repeat(146)}` }, now);
      gas[name] = Number(chain.gas);
    };
    const wait = (seconds: number) => {
      now += seconds;
    };
    return { rules, gas, act, wait, publish, author: author!, fixer: fixer!, owner: owner! };
  }

  it("does not grow with the rows of a batch; a fix costs at most 120,000 by a proof of ten hashes", async () => {
    const { gas, act, author, fixer } = await opened();
    await act({ kind: "add", by: author, count: 1 }, "first");
    await act({ kind: "add", by: author, count: 1 }, "one");
    await act({ kind: "add", by: author, count: 1024 }, "many");
    assert.ok(Math.abs(gas.many! - gas.one!) / gas.one! <= 0.01, `${gas.one} and ${gas.many}`);
    await act({ kind: "fix", by: fixer, entry: 2, row: 700, removes: false });
    assert.ok(gas.fix! <= 120_000, `fix: ${gas.fix}`);
  });

  it("stays within 2 % of the snapshot", async () => {
    const { rules, gas, act, wait, publish, author, fixer, owner } = await opened();
    await act({ kind: "add", by: author, count: 1 }, "first");
    await act({ kind: "add", by: author, count: 128 });
    const place: FixPlace = { entry: 1, row: 77, fix: 0 };
    await act({ kind: "fix", by: fixer, entry: 1, row: 77, removes: false });
    await act({ kind: "judge", by: owner, place, right: true });
    await act({ kind: "appeal", by: author, place });
    await act({ kind: "empanel", by: author, place });
    const panel = [...rules.fixOf(place)!.votes.keys()];
    assert.equal(panel.length, 3);
    for (const by of panel) await act({ kind: "commitVote", by, place, right: true });
    for (const by of panel) await act({ kind: "revealVote", by, place });
    await act({ kind: "take", by: fixer, place });
    wait(FIX_WINDOW + 1);
    await act({ kind: "refund", by: author, entry: 1 });
    await act({ kind: "close", by: owner });
    await publish(1, "publishFirst");
    await publish(2, "publish");
    delete gas.first;
    if (process.env.UPDATE_SNAPSHOT === "1") await writeFile(SNAPSHOT, `${JSON.stringify(gas, null, 2)}\n`);
    const wanted = JSON.parse(await readFile(SNAPSHOT, "utf8")) as Record<string, number>;
    assert.deepEqual(Object.keys(gas), Object.keys(wanted));
    for (const [call, units] of Object.entries(wanted)) {
      const tolerance = call === "empanel" ? DRAW_TOLERANCE : TOLERANCE;
      assert.ok(
        Math.abs(gas[call]! - units) / units <= tolerance,
        `${call}: ${gas[call]} instead of ${units}`,
      );
    }
  });
});
