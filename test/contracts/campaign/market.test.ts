import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { toUtf8Bytes } from "ethers";
import { toHex } from "../../../src/protocol/bytes.ts";
import { dealExam, examRootOf, showSlice } from "../../../src/protocol/campaign/exam.ts";
import { OWNERS_ENTRY, payoutProof, payoutsRoot } from "../../../src/protocol/campaign/models/improvement.ts";
import type { CampaignTerms } from "../../../src/protocol/campaign/terms.ts";
import { COIN, deployMarket, ETHER, join, type Market, random32 } from "../../support/chain/escrow.ts";
import { deployModel } from "../../support/chain/models.ts";

const SNAPSHOT = new URL("./market.gas.snapshot.json", import.meta.url);
const TOLERANCE = 0.02;
/** Of a draw, which looks at more or fewer members of the pool. */
const DRAW_TOLERANCE = 0.15;
const [POOL, STEP, FIX_WINDOW, DAY] = [6, 3600, 7200, 86_400];
const [BOUNTY, STAKE, FEE] = [100_000n, 10_000n, 1_000n];
const SALT = random32();

describe("gas of an improvement market", () => {
  let market: Market;

  before(async () => {
    market = await deployMarket(6 + POOL);
    for (const actor of market.actors.slice(6)) await join(market, actor, ETHER, 32);
    await pass(10);
  });
  after(() => market.close());

  async function pass(seconds: number): Promise<void> {
    await market.rpc("evm_increaseTime", seconds);
    await market.rpc("evm_mine");
  }

  it("stays within 2 % of the snapshot, from its opening to what is claimed", async () => {
    const [owner, author, other] = market.actors.slice(1, 4) as [Market["actors"][0], ...Market["actors"]];
    const improvements = await deployModel(market.actors[0]!, "ImprovementMarket", [
      await market.campaigns.getAddress(),
    ]);
    const exam = dealExam(["a", "b", "c", "d"], [random32(), random32()]);
    const closesAt = (await market.now()) + DAY;
    const terms: CampaignTerms = {
      ...{ owner: owner.address, token: COIN, slices: 2, specHash: random32(), examRoot: examRootOf(exam) },
      ...{ deposit: 30_000n, price: 20_000n, reward: 10_000n, bond: 40_000n, fee: FEE },
      ...{ rows: 10_000, capacity: 1_000, closesAt, fixWindow: FIX_WINDOW, stepWindow: STEP },
    };
    const { campaigns } = market;
    await market.send(campaigns, owner, "open", [terms, "0x"], 10_000n * 20_000n);
    const id = await campaigns.getFunction("campaignIdOf")(terms);
    const gas: Record<string, number> = {};
    const call = async (name: string, by: Market["actors"][0], args: unknown[], value = 0n) => {
      gas[name] = Number((await market.send(improvements, by, name, args, value)).gasUsed);
    };
    const show = (slice: number) => {
      const { digest, salt, proof } = showSlice(exam, slice);
      return market.send(campaigns, owner, "reveal", [terms, slice, digest, salt, proof, "0x"]);
    };
    const showBy = closesAt + FIX_WINDOW + 6 * STEP;
    const offer = { bounty: BOUNTY, leastStake: STAKE, fee: FEE, showBy, stepWindow: STEP, spec: random32() };
    await call("open", owner, [terms, offer], BOUNTY + 3n * FEE);
    for (const one of [author, other]) {
      const most = 2n ** 128n - 1n;
      await market.send(
        campaigns,
        one!,
        "add",
        [terms, random32(), 1, most, toHex(toUtf8Bytes("cid"))],
        60_000n,
      );
    }
    await market.rpc("hardhat_mine", "0x3");
    await market.send(campaigns, owner, "drawSlice", [terms]);
    const { first } = await campaigns.getFunction("campaignOf")(id);
    await show(Number(first));
    await call("stake", other!, [id, 1, STAKE], STAKE);
    await call("stake", author!, [id, 0, STAKE], STAKE);
    await show(1 - Number(first));
    await pass(showBy + 1 - (await market.now()));
    await call("begin", other!, [id]);
    await market.rpc("hardhat_mine", "0x3");
    await call("empanel", other!, [id]);
    const payouts = [
      { entry: 0, account: author!.address, amount: 40_000n },
      { entry: 1, account: other!.address, amount: 20_000n },
      { entry: OWNERS_ENTRY, account: owner.address, amount: BOUNTY + 2n * STAKE - 60_000n },
    ];
    const root = payoutsRoot(payouts);
    const seats = await improvements.getFunction("seatsOf")(id);
    const members = seats.map(({ member }: { member: string }) =>
      market.actors.find(({ address }) => address === member),
    );
    assert.equal(members.length, 3);
    for (const one of members) {
      const word = await improvements.getFunction("rootCommitmentOf")(id, one.address, root, SALT);
      await call("commit", one, [id, word]);
    }
    await pass(STEP + 1);
    for (const one of members) await call("reveal", one, [id, root, SALT]);
    await pass(STEP + 1);
    await call("settle", other!, [id]);
    for (const [i, { entry, account, amount }] of payouts.entries())
      if (i !== 1) await call("claim", other!, [id, entry, account, amount, payoutProof(payouts, i)]);
    await pass(90 * DAY + 1);
    await call("sweep", other!, [id]);
    assert.equal(await improvements.getFunction("owed")(owner.address, COIN), BOUNTY + 2n * STAKE - 40_000n);
    if (process.env.UPDATE_SNAPSHOT === "1") await writeFile(SNAPSHOT, `${JSON.stringify(gas, null, 2)}\n`);
    const wanted = JSON.parse(await readFile(SNAPSHOT, "utf8")) as Record<string, number>;
    assert.deepEqual(Object.keys(gas), Object.keys(wanted));
    for (const [name, units] of Object.entries(wanted)) {
      const tolerance = name === "empanel" ? DRAW_TOLERANCE : TOLERANCE;
      assert.ok(Math.abs(gas[name]! - units) / units <= tolerance, `${name}: ${gas[name]}, not ${units}`);
    }
  });
});
