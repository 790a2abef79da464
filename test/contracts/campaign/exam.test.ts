import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  dealExam,
  type ExamSlice,
  examRootOf,
  isShown,
  showSlice,
} from "../../../src/protocol/campaign/exam.ts";
import {
  type CampaignTerms,
  campaignIdOf,
  campaignPriceOf,
  NO_ROW,
} from "../../../src/protocol/campaign/terms.ts";
import type { Address } from "../../../src/protocol/ids.ts";
import { COIN, deployMarket, type Market, random32 } from "../../support/chain/escrow.ts";

const ROWS = Array.from({ length: 103 }, (_, i) => `${i % 2}\tsentence ${i}`);
const SLICES = 7;

describe("the hidden test set of a campaign", () => {
  let market: Market;

  before(async () => {
    market = await deployMarket(3);
  });
  after(() => market.close());

  /** A campaign with a hidden test set, and who calls it. */
  async function opened() {
    const [, owner, stranger] = market.actors;
    const slices = dealExam(
      ROWS,
      Array.from({ length: SLICES }, () => random32()),
    );
    const terms: CampaignTerms = {
      ...{ owner: owner!.address, token: COIN, deposit: 3n, price: 2n, reward: 1n, bond: 3n, fee: 1n },
      ...{
        rows: 10,
        capacity: 5,
        closesAt: (await market.now()) + 86_400,
        fixWindow: 3600,
        stepWindow: 3600,
      },
      ...{ slices: SLICES, specHash: random32(), examRoot: examRootOf(slices) },
    };
    const id = campaignIdOf(market.chainId, (await market.campaigns.getAddress()) as Address, terms);
    const call = async (by: "owner" | "stranger", name: string, args: readonly unknown[], value = 0n) => {
      const data = market.campaigns.interface.encodeFunctionData(name, [terms, ...args]);
      const from = (by === "owner" ? owner! : stranger!).address;
      const to = await market.campaigns.getAddress();
      const tx = { from, to, data, value: `0x${value.toString(16)}` };
      return market.rpc("eth_sendTransaction", tx).then(
        () => "done",
        (error: { data: string }) => market.campaigns.interface.parseError(error.data)?.name,
      );
    };
    assert.equal(await call("owner", "open", ["0x"], campaignPriceOf(terms)), "done");
    const reveal = (by: "owner" | "stranger", from: readonly ExamSlice[], slice: number) => {
      const { digest, salt, proof } = showSlice(from, slice);
      return call(by, "reveal", [slice, digest, salt, proof, "0x"]);
    };
    const state = async () => {
      const { first, revealed, drawBlock } = await market.campaigns.getFunction("campaignOf")(id);
      return { first: Number(first), revealed: Number(revealed), drawBlock: Number(drawBlock) };
    };
    return { slices, terms, call, reveal, state };
  }

  async function mine(blocks: number): Promise<void> {
    await market.rpc("hardhat_mine", `0x${blocks.toString(16)}`);
  }

  it("is shown slice by slice, the drawn one first; what is altered, guessed or shown twice is refused", async () => {
    const { slices, terms, call, reveal, state } = await opened();
    assert.equal(await reveal("owner", slices, 0), "DataCampaign_NoBlockHash", "not drawn");
    assert.equal(await call("stranger", "drawSlice", []), "DataCampaign_NoBlockHash", "too early");
    await mine(3);
    assert.equal(await call("stranger", "drawSlice", []), "done");
    assert.equal(await call("stranger", "drawSlice", []), "DataCampaign_NoBlockHash", "once");
    const { first } = await state();
    assert.ok(first < SLICES);

    const other = (first + 1) % SLICES;
    assert.equal(await reveal("owner", slices, other), "DataCampaign_WrongSlice", "the drawn one is first");
    assert.equal(await reveal("stranger", slices, first), "DataCampaign_NotParty");
    const altered = slices.map((slice, i) => (i === first ? { ...slice, rows: ["0\tanother"] } : slice));
    assert.equal(await reveal("owner", altered, first), "DataCampaign_WrongSliceProof", "altered");
    assert.equal(await reveal("owner", slices, first), "done");
    assert.equal(await reveal("owner", slices, first), "DataCampaign_WrongSlice", "twice");
    for (let slice = 0; slice < SLICES; slice++) {
      if (slice !== first) assert.equal(await reveal("owner", slices, slice), "done");
    }
    assert.equal((await state()).revealed, 2 ** SLICES - 1);
    const { digest, salt, proof } = showSlice(slices, 0);
    assert.equal(
      await call("owner", "reveal", [SLICES, digest, salt, proof, "0x"]),
      "DataCampaign_WrongSlice",
    );
    assert.ok(isShown(terms.examRoot, showSlice(slices, 3), slices[3]!.rows));
    assert.ok(!isShown(terms.examRoot, showSlice(slices, 3), slices[4]!.rows), "other rows");
    assert.ok(
      !isShown(terms.examRoot, { ...showSlice(slices, 3), slice: 4 }, slices[3]!.rows),
      "another number",
    );
  });

  it("cannot be recognised by who has the same rows, without the salts", async () => {
    const { terms, slices } = await opened();
    const guessed = dealExam(ROWS, Array<typeof NO_ROW>(SLICES).fill(NO_ROW));
    assert.notEqual(examRootOf(guessed), terms.examRoot);
    for (const [i, { rows }] of guessed.entries()) {
      assert.deepEqual(rows, slices[i]!.rows, "the same rows");
      assert.ok(!isShown(terms.examRoot, { ...showSlice(slices, i), salt: NO_ROW }, rows));
    }
  });

  it("is drawn by a later block when no one drew in time", async () => {
    const { call, state } = await opened();
    await mine(300);
    assert.equal(await call("stranger", "drawSlice", []), "done");
    assert.ok((await state()).drawBlock > 0, "not yet");
    await mine(3);
    assert.equal(await call("stranger", "drawSlice", []), "done");
    assert.equal((await state()).drawBlock, 0);
  });

  it("deals all rows, and none twice", () => {
    const slices = dealExam(
      ROWS,
      Array.from({ length: SLICES }, () => NO_ROW),
    );
    assert.deepEqual(slices.flatMap(({ rows }) => rows).toSorted(), ROWS.toSorted());
    const sizes = slices.map(({ rows }) => rows.length);
    assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
  });
});
