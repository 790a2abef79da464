import type { Address, Hex } from "../../ids.ts";

/** What an owner offers for what entries improve: `IImprovementMarket.Offer`. Sums in the campaign's token. */
export interface ImprovementOffer {
  readonly bounty: bigint;
  /** For an entry. */
  readonly leastStake: bigint;
  /** Of each of the three members of the panel. */
  readonly fee: bigint;
  /** By when the test set must be shown, Unix seconds. */
  readonly showBy: number;
  /** To draw, to commit and to reveal, each; seconds. */
  readonly stepWindow: number;
  /** See `spec.ts`. */
  readonly spec: Hex;
}

/** `MarketState` of the contract, by number from 1. */
export const improvementStates = ["Open", "Drawing", "Voting", "Settled", "Void", "Unshown"] as const;
export type ImprovementState = (typeof improvementStates)[number];

/** An event of `ImprovementMarket`; each is about one campaign. */
export type ImprovementFact =
  | { readonly kind: "marketOpened"; readonly owner: Address; readonly offer: ImprovementOffer }
  | {
      readonly kind: "entryStaked";
      readonly entry: number;
      readonly author: Address;
      readonly amount: bigint;
    }
  | { readonly kind: "marketBegan"; readonly state: ImprovementState; readonly drawBlock: number }
  | { readonly kind: "marketDrawn"; readonly members: number }
  | { readonly kind: "rootCommitted"; readonly member: Address }
  | { readonly kind: "rootRevealed"; readonly member: Address; readonly root: Hex }
  | { readonly kind: "marketSettled"; readonly state: ImprovementState; readonly root: Hex }
  | {
      readonly kind: "payoutClaimed";
      readonly entry: number;
      readonly account: Address;
      readonly amount: bigint;
    }
  | { readonly kind: "marketSwept"; readonly amount: bigint };

/** An improvement market as its events tell it. */
export interface Improvement {
  readonly owner: Address;
  readonly offer: ImprovementOffer;
  state: ImprovementState;
  /** Until when the present step can be made, Unix seconds: staked, drawn, committed, claimed. */
  deadline: number;
  /** Block whose hash draws the panel. */
  drawBlock: number;
  /** Members of the panel; who they are its contract says. */
  members: number;
  readonly stakes: { readonly entry: number; readonly author: Address; readonly amount: bigint }[];
  readonly committed: Address[];
  readonly roots: { readonly member: Address; readonly root: Hex }[];
  root: Hex | undefined;
  /** What was credited, by entry; `OWNERS_ENTRY` for the owner's part. */
  readonly paid: Map<number, bigint>;
  isSwept: boolean;
}

/** How long after the panel's end accounts can claim, seconds: `CLAIM_WINDOW`. */
const CLAIM_WINDOW = 90 * 86_400;

export function beginImprovement({
  owner,
  offer,
}: Extract<ImprovementFact, { kind: "marketOpened" }>): Improvement {
  return {
    ...{ owner, offer, state: "Open", deadline: offer.showBy, drawBlock: 0, members: 0, root: undefined },
    ...{ stakes: [], committed: [], roots: [], paid: new Map(), isSwept: false },
  };
}

/** Plays an event of a market, whose block has the time `at`. */
export function playImprovement(market: Improvement, event: ImprovementFact, at: number): void {
  const { stepWindow } = market.offer;
  switch (event.kind) {
    case "marketOpened":
      return;
    case "entryStaked":
      market.stakes.push({ entry: event.entry, author: event.author, amount: event.amount });
      return;
    case "marketBegan":
      market.state = event.state;
      market.drawBlock = event.drawBlock;
      market.deadline = at + stepWindow;
      return;
    case "marketDrawn":
      market.state = "Voting";
      market.members = event.members;
      market.deadline = at + stepWindow;
      return;
    case "rootCommitted":
      market.committed.push(event.member);
      return;
    case "rootRevealed":
      market.roots.push({ member: event.member, root: event.root });
      return;
    case "marketSettled":
      market.state = event.state;
      market.root = event.state === "Settled" ? event.root : undefined;
      market.deadline = at + CLAIM_WINDOW;
      return;
    case "payoutClaimed":
      market.paid.set(event.entry, event.amount);
      return;
    case "marketSwept":
      market.isSwept = true;
  }
}

/** A call that anyone may make to move a market on, but for claims, which need its payouts. */
export type ImprovementDue =
  | { readonly kind: "begin" | "draw" | "settle" | "sweep" }
  | { readonly kind: "refund"; readonly entry: number };

/** What anyone can do at `now` (the chain's time, Unix seconds) and `block` (the newest one's number). */
export function improvementDuesOf(
  market: Improvement,
  { now, block }: { readonly now: number; readonly block: number },
): readonly ImprovementDue[] {
  const { state, deadline, offer, drawBlock, stakes, paid } = market;
  const isOver = now > deadline;
  switch (state) {
    case "Open":
      return isOver ? [{ kind: "begin" }] : [];
    case "Drawing":
      if (isOver) return [{ kind: "settle" }];
      return block > drawBlock ? [{ kind: "draw" }] : [];
    case "Voting":
      return now > deadline + offer.stepWindow ? [{ kind: "settle" }] : [];
    case "Settled":
      return isOver && heldByImprovement(market) > 0n ? [{ kind: "sweep" }] : [];
    case "Void":
    case "Unshown":
      return stakes.flatMap(({ entry }) => (paid.has(entry) ? [] : [{ kind: "refund", entry } as const]));
  }
}

/** The instants, Unix seconds, after which a call becomes possible without an event. */
export function improvementInstantsOf(market: Improvement): readonly number[] {
  if (isImprovementOver(market)) return [];
  return [market.deadline, market.deadline + market.offer.stepWindow];
}

/** True once it holds no account's money any more. */
export function isImprovementOver(market: Improvement): boolean {
  if (market.state === "Settled") return heldByImprovement(market) === 0n;
  const isRefunding = market.state === "Void" || market.state === "Unshown";
  return isRefunding && market.stakes.every(({ entry }) => market.paid.has(entry));
}

/** What a market holds, smallest unit. */
export function heldByImprovement({ state, offer, stakes, paid, isSwept }: Improvement): bigint {
  const staked = stakes.reduce((sum, { amount }) => sum + amount, 0n);
  const gone = [...paid.values()].reduce((sum, amount) => sum + amount, 0n);
  if (state === "Settled") return isSwept ? 0n : offer.bounty + staked - gone;
  if (state === "Void") return staked - gone;
  if (state === "Unshown" && stakes.length === 0) return 0n;
  return improvementPriceOf(offer) + staked - gone;
}

/** What an owner locks: the bounty and the panel's fees. */
export function improvementPriceOf({ bounty, fee }: ImprovementOffer): bigint {
  return bounty + 3n * fee;
}
