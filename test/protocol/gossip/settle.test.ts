import assert from "node:assert/strict";
import { test } from "node:test";
import { id } from "ethers";
import { countModels, type PeerEvidence } from "../../../src/protocol/gossip/settle/counted.ts";
import { measuredMixes } from "../../../src/protocol/gossip/settle/measured.ts";
import { sourceOf } from "../../../src/protocol/gossip/settle/sources.ts";
import { type Mix, mixesOf, planTrials } from "../../../src/protocol/gossip/settle/trials.ts";
import { sharePool, worthOf } from "../../../src/protocol/gossip/settle/worth.ts";
import type { Address, Hex } from "../../../src/protocol/ids.ts";
import { blockBy, confirmationsOf, finalBy, receiptBy, signerOf, transactionBy } from "./support.ts";

type Signer = ReturnType<typeof signerOf>;
const hash = (name: string) => id(name) as Hex;

/** A chain of one block with these models, seen by `witnesses` a second after their times. */
function chainOf(
  signer: Signer,
  models: readonly (readonly [model: Hex, at: number])[],
  witnesses: readonly Signer[],
  confirmers = witnesses,
): PeerEvidence {
  const block = blockBy(
    signer,
    models.map(([model, at]) => {
      const transaction = transactionBy(signer, { model, create: at, expire: at + 60 });
      return { transaction, receipts: witnesses.map((one) => receiptBy(one, transaction)) };
    }),
  );
  const final = finalBy(signer, block, confirmationsOf(block, confirmers));
  return { account: signer.identity.account, blocks: [final] };
}

const [a, b, c] = ["a", "b", "c"].map(signerOf) as [Signer, Signer, Signer];
const accountOf = ({ identity }: Signer) => identity.account;

test("a model counts once, for who was seen with it first, with a confirmation of another that takes part", () => {
  const peers = [
    chainOf(a, [[hash("one"), 1000]], [b, c]),
    chainOf(
      b,
      [
        [hash("one"), 1010],
        [hash("two"), 1020],
        [hash("lost"), 1030],
      ],
      [a, c],
    ),
    chainOf(c, [[hash("three"), 1000]], [signerOf("stranger")]),
  ];
  const has = (model: Hex) => model !== hash("lost");
  const { counted, uncounted } = countModels(peers, { from: 1000, until: 2000, has });
  assert.deepEqual(
    counted.map(({ generator, model, seenAt }) => [generator, model, seenAt]),
    [
      [accountOf(a), hash("one"), 1001],
      [accountOf(b), hash("two"), 1021],
    ],
  );
  assert.deepEqual(uncounted.get(accountOf(b)), ["missing", "repeated"]);
  assert.deepEqual(uncounted.get(accountOf(c)), ["unconfirmed"]);
  assert.equal(countModels(peers, { from: 1002, until: 1021, has }).counted.length, 1, "b's copy alone");
});

test("when a model was seen is its witnesses' word: a generator cannot date it back", () => {
  const transaction = transactionBy(b, { model: hash("one"), create: 900, expire: 4000 });
  const receipts = [a, c].map((one) => receiptBy(one, transaction, { create: 1500 }));
  const block = blockBy(b, [{ transaction, receipts }], { time: 1600 });
  const late = {
    account: accountOf(b),
    blocks: [finalBy(b, block, confirmationsOf(block, [a, c]))],
  };
  const peers = [chainOf(a, [[hash("one"), 1000]], [b, c]), late, chainOf(c, [[hash("x"), 1000]], [a, b])];
  const { counted } = countModels(peers, { from: 0, until: 5000, has: () => true });
  assert.equal(counted.find(({ model }) => model === hash("one"))?.generator, accountOf(a));
});

/** Models as vectors, by digest. */
class Vectors {
  readonly #of = new Map<Hex, readonly number[]>();
  add(name: string, values: readonly number[]): Hex {
    this.#of.set(hash(name), values);
    return hash(name);
  }
  dot = (one: Hex, other: Hex) =>
    this.#of.get(one)!.reduce((sum, value, i) => sum + value * this.#of.get(other)![i]!, 0);
  sum(mix: Mix): number[] {
    const sums = [0, 0, 0, 0];
    for (const [model, factor] of mix)
      for (const [i, value] of this.#of.get(model)!.entries()) sums[i]! += factor * value;
    return sums;
  }
}

test("a model's source is the nearest mixture of earlier ones", () => {
  const vectors = new Vectors();
  const earlier = [
    vectors.add("x", [1, 0, 0, 0]),
    vectors.add("y", [0, 1, 0, 0]),
    vectors.add("z", [-5, -5, 0, 0]),
  ];
  const found = sourceOf(vectors.add("m", [0.3, 0.7, 0, 2]), earlier, vectors.dot);
  assert.ok(Math.abs(found.shares.get(hash("x"))! - 0.3) < 1e-6);
  assert.ok(Math.abs(found.shares.get(hash("y"))! - 0.7) < 1e-6);
  assert.ok(Math.abs(found.distance - 2) < 1e-6);
  assert.ok(sourceOf(vectors.add("copy", [0, 1, 0, 0]), earlier, vectors.dot).distance < 1e-3);
});

/** The exam wants every value at 1; a model's accuracy falls with its distance from there. */
const accuracyOf = (vectors: Vectors) => (mix: Mix) =>
  1e6 - 1e5 * vectors.sum(mix).reduce((sum, value) => sum + (value - 1) ** 2, 0);

test("who trained is paid by what it gave; stolen, averaged, replayed and noisy models earn nothing", () => {
  const vectors = new Vectors();
  const names = ["east", "west", "north", "thief", "mixer", "noise", "idle"];
  const signers = new Map(names.map((name) => [name, signerOf(name)]));
  const seen: { generator: Address; transaction: Hex; model: Hex; seenAt: number }[] = [];
  const add = (name: string, seenAt: number, values: readonly number[]) => {
    const model = vectors.add(`${name} ${seenAt}`, values);
    const generator = accountOf(signers.get(name)!);
    seen.push({ generator, transaction: hash(`t ${name} ${seenAt}`), model, seenAt });
  };
  // Of each span: three that train towards the goal, and others that do something with what these showed.
  for (let span = 0; span < 4; span++) {
    const at = 100 * span;
    add("east", at + 10, [0.2 * span, 0.1 * span, 0, 0]);
    add("west", at + 10, [0, 0, 0.1 * span, 0.1 * span]);
    add("north", at + 10, [0, 0.1 * span, 0, 0.2 * span]);
    add("thief", at + 20, [0.2 * span + 1e-9, 0.1 * span, 0, 0]);
    add("mixer", at + 20, [0.1 * span, 0.05 * span, 0.05 * span, 0.05 * span]);
    add("noise", at + 20, [0.2 * span, 0.1 * span, 0.02 * (-1) ** span, -0.02]);
    add("idle", at + 30, [0, 0, 0, -1e-9]);
  }
  const trials = planTrials(seen, { from: 0, span: 100, dot: vectors.dot });
  assert.deepEqual(
    trials.map(({ span }) => span),
    [1, 2, 3],
  );
  const accounts = names.map((name) => accountOf(signers.get(name)!));
  const worth = worthOf(accounts, trials, accuracyOf(vectors));
  const of = (name: string) => worth.get(accountOf(signers.get(name)!))!;
  assert.ok(of("east") > of("west") && of("west") > 10_000, `${of("east")} ${of("west")}`);
  for (const name of ["thief", "mixer", "noise", "idle"]) assert.equal(of(name), 0, name);
  const { shares, rest } = sharePool(10n ** 18n, worth);
  assert.equal(shares.reduce((sum, one) => sum + one, 0n) + rest, 10n ** 18n);
  assert.ok(shares[0]! + shares[1]! + shares[2]! > (97n * 10n ** 18n) / 100n);
});

test("a model that was not trained from those before it takes no part, whatever it would do to the mean", () => {
  const vectors = new Vectors();
  const seen = [0, 100, 200].flatMap((at) =>
    [a, b, c].map((signer, i) => ({
      ...{ generator: accountOf(signer), transaction: hash(`t ${at} ${i}`), seenAt: at + i },
      model: vectors.add(`${at} ${i}`, i === 2 && at > 0 ? [9, 9, 9, at] : [at / 1000, i / 10, 0, 0]),
    })),
  );
  const trials = planTrials(seen, { from: 0, span: 100, dot: vectors.dot });
  const named = trials.flatMap(({ without }) => [...without.keys()]);
  assert.ok(!named.includes(accountOf(c)));
});

test("what was measured has every model, or is refused", () => {
  const mix: Mix = new Map([[hash("one"), 1]]);
  const mixes = new Map([["span-1", mix]]);
  const sets = { one: { acc: 0.5, loss: 1 }, two: { acc: 0.25, loss: 1 } };
  assert.equal(measuredMixes(JSON.stringify({ "span-1": sets }), mixes)(mix), 375_000);
  for (const text of ["{", "{}", '{"span-1":{}}', '{"span-1":{"one":{"acc":2}}}', "[]"])
    assert.throws(() => measuredMixes(text, mixes), { code: "GOSSIP_MEASURED_INVALID" }, text);
  assert.deepEqual([...mixesOf([{ span: 1, all: mix, without: new Map() }]).keys()], ["span-1"]);
});
