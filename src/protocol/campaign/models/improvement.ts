import { AbiCoder, keccak256 } from "ethers";
import { proofOf, treeRoot } from "../../federated/ledger/tree.ts";
import type { Address, Hex } from "../../ids.ts";
import type { ChainModel, Label } from "./chain-model.ts";

/** A row of a text and its class. */
export interface LabelledRow {
  readonly words: readonly number[];
  readonly label: Label;
}

/** An entry of a campaign with a stake: its rows as they were accepted, fixes and all. */
export interface StakedEntry {
  readonly entry: number;
  readonly author: Address;
  /** Smallest unit. */
  readonly stake: bigint;
  readonly rows: readonly LabelledRow[];
}

/** A leaf of what `ImprovementMarket.claim` pays by. */
export interface MarketPayout {
  readonly entry: number;
  readonly account: Address;
  readonly amount: bigint;
}

export interface Replay {
  readonly owner: Address;
  readonly bounty: bigint;
  readonly leastStake: bigint;
  /** In the order of their numbers. */
  readonly entries: readonly StakedEntry[];
  /** The hidden test set without the slice that was shown first. */
  readonly tests: readonly LabelledRow[];
  /** The model before the campaign; a new one each time. */
  readonly start: () => ChainModel;
}

/** The entry of what the replay leaves to the owner. */
export const OWNERS_ENTRY = 0xffff_ffff;

/**
 * What a market comes to (0xDeCA10B's prediction market): the model learns entry after entry, and each entry's score is by
 * how many tests more it then predicts. Rounds are played in which every entry's balance, its stake at first, changes by
 * the share of the tests that its score is: as many rounds as every entry can pay for, or as the bounty has left. Then those
 * with less than the least stake drop out, and the rest is replayed without them. (There the entry with the worst score
 * alone decides how many rounds; another with less stake can then come out below nothing.)
 *
 * Whole numbers alone; gains are rounded down and losses up, so that all payouts together are bounty and stakes.
 * @returns one for each entry, then the owner's
 */
export function replayMarket({ owner, bounty, leastStake, entries, tests, start }: Replay): MarketPayout[] {
  const size = BigInt(tests.length);
  const balances = new Map(entries.map(({ entry, stake }) => [entry, stake]));
  let left = size === 0n ? 0n : bounty;
  let playing = entries;
  while (left > 0n && playing.length > 0) {
    const scores = scoresOf(start(), playing, tests);
    let rounds = left;
    for (const [entry, score] of scores) {
      if (score >= 0n) continue;
      const affordable = (balances.get(entry)! * size) / -score;
      if (affordable < rounds) rounds = affordable;
    }
    left -= rounds;
    for (const [entry, each] of scores) {
      const change = each * rounds;
      const rounded = change < 0n ? -((-change + size - 1n) / size) : change / size;
      balances.set(entry, balances.get(entry)! + rounded);
    }
    playing = playing.filter(({ entry }) => balances.get(entry)! >= leastStake);
  }
  const staked = entries.reduce((sum, { stake }) => sum + stake, 0n);
  const paid = [...balances.values()].reduce((sum, each) => sum + each, 0n);
  return [
    ...entries.map(({ entry, author }) => ({ entry, account: author, amount: balances.get(entry)! })),
    { entry: OWNERS_ENTRY, account: owner, amount: bounty + staked - paid },
  ];
}

/** What a member of the panel commits to. */
export function payoutsRoot(payouts: readonly MarketPayout[]): Hex {
  return treeRoot(payouts.map(payoutLeaf));
}

export function payoutProof(payouts: readonly MarketPayout[], index: number): Hex[] {
  return proofOf(payouts.map(payoutLeaf), index);
}

function payoutLeaf({ entry, account, amount }: MarketPayout): Hex {
  const encoded = AbiCoder.defaultAbiCoder().encode(
    ["uint32", "address", "uint128"],
    [entry, account, amount],
  );
  return keccak256(keccak256(encoded)) as Hex;
}

/** By how many more tests the model is right after each entry than before it. */
function scoresOf(
  model: ChainModel,
  entries: readonly StakedEntry[],
  tests: readonly LabelledRow[],
): ReadonlyMap<number, bigint> {
  const right = () => tests.filter(({ words, label }) => model.predict(words) === label).length;
  const scores = new Map<number, bigint>();
  let before = right();
  for (const { entry, rows } of entries) {
    for (const { words, label } of rows) model.update(words, label);
    const after = right();
    scores.set(entry, BigInt(after - before));
    before = after;
  }
  return scores;
}
