import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import type { Contract } from "ethers";
import fc from "fast-check";
import { NaiveBayes } from "../../../src/protocol/campaign/models/bayes.ts";
import { NearestCentroid } from "../../../src/protocol/campaign/models/centroid.ts";
import { type ChainModel, type Label, wordsOf } from "../../../src/protocol/campaign/models/chain-model.ts";
import { SparsePerceptron } from "../../../src/protocol/campaign/models/perceptron.ts";
import { type Actor, deployMarket, type Market } from "../../support/chain/escrow.ts";
import { deployModel, loadModel, predictOnChain } from "../../support/chain/models.ts";
import { loadImdb, loadReviews, withReviews } from "../../support/imdb.ts";

const SNAPSHOT = new URL("./gas.snapshot.json", import.meta.url);
const TOLERANCE = 0.02;
const RUNS = Number(process.env.MODEL_RUNS ?? 8);
/** So few words and rows that classes often tie. */
const SIZE = 9;
const MOST_GAS = 400_000;

interface Row {
  readonly words: readonly number[];
  readonly label: Label;
}

const wordLists = fc
  .uniqueArray(fc.nat(SIZE - 1), { minLength: 1, maxLength: 6 })
  .map((words) => words.toSorted((a, b) => a - b));
const rows = fc.array(fc.record({ words: wordLists, label: fc.constantFrom<Label>(0, 1) }), {
  maxLength: 12,
});
/** Whole tenths, so that sums are often zero, and large ones of both signs. */
const weights = fc.array(
  fc.oneof(
    fc.integer({ min: -3, max: 3 }).map((tenths) => BigInt(tenths) * 100_000_000n),
    fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
  ),
  { minLength: SIZE, maxLength: SIZE },
);

describe("models on the chain and off it", () => {
  let market: Market;
  let owner: Actor;

  before(async () => {
    market = await deployMarket(2);
    owner = market.actors[1]!;
  });
  after(() => market.close());

  /** Teaches both the same rows; each prediction on the way must agree. */
  async function compare(
    contract: Contract,
    model: ChainModel,
    taught: readonly Row[],
    asked: readonly (readonly number[])[],
  ): Promise<void> {
    const agree = async (words: readonly number[]) =>
      assert.equal(await predictOnChain(contract, words), model.predict(words), JSON.stringify(words));
    for (const { words, label } of taught) {
      await agree(words);
      await market.send(contract, owner, "update", [words, label]);
      model.update(words, label);
    }
    for (const words of asked) await agree(words);
  }

  it("a perceptron predicts alike bit for bit, at a sum of zero too", async () => {
    await fc.assert(
      fc.asyncProperty(
        weights,
        rows,
        fc.array(wordLists, { maxLength: 12 }),
        async (values, taught, asked) => {
          const model = new SparsePerceptron(values, 0n, 100_000_000n);
          const contract = await deployModel(owner, "SparsePerceptron", [SIZE, 0n, 100_000_000n]);
          await loadModel(market, owner, contract, model, owner.address);
          await compare(contract, model, taught, asked);
        },
      ),
      { numRuns: RUNS, seed: 20_281, endOnFailure: true },
    );
  });

  for (const { name, make } of [
    { name: "NearestCentroid", make: () => new NearestCentroid(SIZE) },
    { name: "NaiveBayes", make: () => new NaiveBayes(SIZE) },
  ]) {
    it(`${name} predicts alike bit for bit, loaded and taught, in a tie too`, async () => {
      await fc.assert(
        fc.asyncProperty(
          rows,
          rows,
          fc.array(wordLists, { maxLength: 12 }),
          async (loaded, taught, asked) => {
            const model = make();
            for (const { words, label } of loaded) model.update(words, label);
            const contract = await deployModel(owner, name, [SIZE]);
            await loadModel(market, owner, contract, model, owner.address);
            await compare(contract, model, taught, asked);
          },
        ),
        { numRuns: RUNS, seed: 20_282, endOnFailure: true },
      );
    });
  }

  it("refuses rows out of order, too long or outside the vocabulary, and updates by others", async () => {
    const contract = await deployModel(owner, "NaiveBayes", [100]);
    const stranger = market.actors[0]!;
    const refuses = async (by: Actor, name: string, args: unknown[], error: string) => {
      const data = contract.interface.encodeFunctionData(name, args);
      const call = { from: by.address, to: await contract.getAddress(), data };
      // The node names errors without arguments and shows others as they are.
      const { selector } = contract.interface.getError(error)!;
      await assert.rejects(market.rpc("eth_call", call, "latest"), new RegExp(`${error}|${selector}`), name);
    };
    for (const words of [[], [3, 3], [4, 3], [100], Array.from({ length: 65 }, (_, i) => i)])
      await refuses(owner, "predict", [words], "ChainModel_WrongWords");
    await refuses(owner, "update", [[1], 0], "ChainModel_NotKeeper");
    await market.send(contract, owner, "handOver", [stranger.address]);
    await refuses(owner, "load", [0, [1n]], "ChainModel_NotKeeper");
    await refuses(stranger, "update", [[1], 2], "ChainModel_WrongLabel");
  });

  it(`learns a sentence of 20 words for at most ${MOST_GAS} gas, within 2 % of the snapshot`, async () => {
    const words = Array.from({ length: 20 }, (_, i) => 49 * i);
    const gas: Record<string, number> = {};
    for (const { name, model, args } of [
      {
        name: "SparsePerceptron",
        model: SparsePerceptron.of(
          Array.from({ length: 1000 }, (_, i) => 1 + i / 1000),
          5,
          0.5,
        ),
        args: [5_000_000_000n, 500_000_000n],
      },
      { name: "NearestCentroid", model: new NearestCentroid(1000), args: [] },
      { name: "NaiveBayes", model: new NaiveBayes(1000), args: [] },
    ]) {
      // All words were seen before: their slots are written.
      if (name !== "SparsePerceptron")
        model.update(
          Array.from({ length: 1000 }, (_, i) => i),
          1,
        );
      const contract = await deployModel(owner, name, [1000, ...args]);
      await loadModel(market, owner, contract, model, owner.address);
      assert.equal(model.predict(words), 1, "the update is one of all weights");
      const { gasUsed } = await market.send(contract, owner, "update", [words, 0]);
      gas[name] = Number(gasUsed);
      assert.ok(gas[name] <= MOST_GAS, `${name}: ${gas[name]}`);
    }
    if (process.env.UPDATE_SNAPSHOT === "1") await writeFile(SNAPSHOT, `${JSON.stringify(gas, null, 2)}\n`);
    const wanted = JSON.parse(await readFile(SNAPSHOT, "utf8")) as Record<string, number>;
    for (const [name, units] of Object.entries(wanted)) {
      assert.ok(
        Math.abs(gas[name]! - units) / units <= TOLERANCE,
        `${name}: ${gas[name]} instead of ${units}`,
      );
    }
  });

  it(
    "0xDeCA10B's perceptron predicts 300 review sentences alike, before and after it learns",
    withReviews,
    async () => {
      const { model, vocabulary } = loadImdb();
      const contract = await deployModel(owner, "SparsePerceptron", [1000, model.bias, 500_000_000n]);
      await loadModel(market, owner, contract, model, owner.address);
      const sentences = ([0, 1] as const).flatMap((label) =>
        loadReviews(label)
          .slice(0, 200)
          .map((text) => ({ words: wordsOf(text, vocabulary), label }))
          .filter(({ words }) => words.length > 0),
      );
      await compare(
        contract,
        model,
        sentences.filter((_, i) => i % 10 === 0),
        sentences.slice(0, 300).map(({ words }) => words),
      );
    },
  );
});
