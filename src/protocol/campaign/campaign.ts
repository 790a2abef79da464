import { type Address, type Hex, sameAddress } from "../ids.ts";
import type { CampaignAction, CampaignFix } from "./actions.ts";
import type { CampaignEvent } from "./events.ts";
import {
  beginImprovement,
  type Improvement,
  type ImprovementFact,
  improvementInstantsOf,
  isImprovementOver,
  playImprovement,
} from "./improvement/market.ts";
import { CampaignRules } from "./rules.ts";
import type { CampaignTerms, FixPlace } from "./terms.ts";
import type { Publication } from "./versions.ts";

/** Rows that were added by one call, beside what {@link CampaignRules.entries} says of them. */
export interface Batch {
  readonly root: Hex;
  readonly locator: Hex;
}

/** What a fix says, beside what {@link CampaignRules.fixOf} says of it. */
export interface Amendment {
  readonly original: Hex;
  readonly corrected: Hex;
  /** The corrected row, as its fixer gave it: it need not be what `corrected` is of. */
  readonly content: Hex;
  /** Block whose hash draws the panel, once it was asked for and while it is not drawn. */
  drawBlock: number | undefined;
}

/** A data campaign as the chain's events tell it. */
export interface Campaign {
  readonly id: Hex;
  /** Of the opening. */
  readonly block: number;
  readonly openedAt: number;
  readonly terms: CampaignTerms;
  readonly description: Hex;
  /** States and money: the contract's own rules, played to the last event. */
  readonly rules: CampaignRules;
  /** By the entry's number. */
  readonly batches: readonly Batch[];
  /** The slice of the hidden test set that is shown first, once it is drawn. */
  readonly firstSlice: number | undefined;
  readonly slices: readonly { readonly slice: number; readonly digest: Hex; readonly locator: Hex }[];
  /** Models that its owner told of, by number from 1. */
  readonly publications: readonly Publication[];
  /** The market on what its entries improve, where its owner opened one. */
  readonly improvement?: Improvement | undefined;
  /** In the chain's order. */
  readonly events: readonly CampaignEvent[];
  amendmentOf(place: FixPlace): Amendment | undefined;
}

/** Plays events, the opening first; undefined where that is missing. What does not fit what was before is left out. */
export function foldCampaign(events: readonly CampaignEvent[]): Campaign | undefined {
  let campaign: Campaign | undefined;
  for (campaign of replayCampaign(events));
  return campaign;
}

/** The campaign as the events up to `block` left it; as it is now where it was opened later. */
export function campaignAsOf(campaign: Campaign, block: number): Campaign {
  return foldCampaign(campaign.events.filter((event) => event.block <= block)) ?? campaign;
}

/** The campaign after each of its events in turn: one object, which the next event changes. */
export function* replayCampaign(events: readonly CampaignEvent[]): Iterable<Campaign> {
  const [first, ...rest] = events;
  if (first?.kind !== "opened") return;
  const fold = new Fold(first);
  yield fold;
  for (const event of rest) {
    fold.add(event);
    yield fold;
  }
}

class Fold implements Campaign {
  readonly id: Hex;
  readonly block: number;
  readonly openedAt: number;
  readonly terms: CampaignTerms;
  readonly description: Hex;
  readonly rules: CampaignRules;
  readonly batches: Batch[] = [];
  firstSlice: number | undefined;
  readonly slices: { slice: number; digest: Hex; locator: Hex }[] = [];
  readonly publications: Publication[] = [];
  improvement: Improvement | undefined;
  readonly events: CampaignEvent[];
  readonly #amendments = new Map<string, Amendment>();

  constructor(opened: Extract<CampaignEvent, { kind: "opened" }>) {
    this.id = opened.id;
    this.block = opened.block;
    this.openedAt = opened.at;
    this.terms = opened.terms;
    this.description = opened.description;
    this.rules = new CampaignRules(opened.terms, opened.at);
    this.events = [opened];
  }

  amendmentOf(place: FixPlace): Amendment | undefined {
    return this.#amendments.get(keyOf(place));
  }

  add(event: CampaignEvent): void {
    if (this.#play(event)) this.events.push(event);
  }

  #play(event: CampaignEvent): boolean {
    const { rules } = this;
    switch (event.kind) {
      case "opened":
        return false;
      case "added": {
        if (event.entry !== rules.entries.length || event.count > rules.left) return false;
        rules.apply({ kind: "add", by: event.author, count: event.count }, event.at);
        this.batches.push({ root: event.root, locator: event.locator });
        return true;
      }
      case "fixed": {
        const { place, fixer, original, corrected, content } = event;
        const entry = rules.entries[place.entry];
        if (entry === undefined || place.row >= entry.count) return false;
        if (place.fix !== rules.rowOf(place).fixes.length) return false;
        const { entry: number, row } = place;
        const removes = BigInt(corrected) === 0n;
        rules.apply({ kind: "fix", by: fixer, entry: number, row, removes }, event.at);
        this.#amendments.set(keyOf(place), { original, corrected, content, drawBlock: undefined });
        return true;
      }
      case "refunded": {
        const entry = rules.entries[event.entry];
        if (entry === undefined) return false;
        rules.apply({ kind: "refund", by: entry.author, entry: event.entry }, event.at);
        return true;
      }
      case "sliceDrawn":
        this.firstSlice = event.slice;
        return true;
      case "sliceRevealed":
        this.slices.push({ slice: event.slice, digest: event.digest, locator: event.locator });
        return true;
      case "published":
        if (event.publication.number !== this.publications.length + 1) return false;
        this.publications.push(event.publication);
        return true;
      case "closed":
        rules.apply({ kind: "close", by: this.terms.owner }, event.at);
        return true;
      case "marketOpened":
        this.improvement ??= beginImprovement(event);
        return true;
      default:
        return "place" in event ? this.#playFix(event) : this.#playMarket(event, event.at);
    }
  }

  #playMarket(event: ImprovementFact, at: number): boolean {
    if (this.improvement === undefined) return false;
    playImprovement(this.improvement, event, at);
    return true;
  }

  #playFix(event: Extract<CampaignEvent, { place: FixPlace }>): boolean {
    const { place, at } = event;
    const fix = this.rules.fixOf(place);
    const amendment = this.amendmentOf(place);
    if (fix === undefined || amendment === undefined) return false;
    const apply = (action: CampaignAction, drawn?: readonly Address[]) => {
      this.rules.apply(action, at, drawn);
      return true;
    };
    switch (event.kind) {
      case "judged":
        return apply({ kind: "judge", by: this.terms.owner, place, right: event.right });
      case "appealed":
        amendment.drawBlock = event.drawBlock;
        return apply({ kind: "appeal", by: event.appellant, place });
      case "panelMissed":
        amendment.drawBlock = event.drawBlock;
        return true;
      case "panelDrawn":
        amendment.drawBlock = undefined;
        return apply({ kind: "empanel", by: fix.fixer, place }, event.members);
      case "voteCommitted":
        if (!fix.votes.has(event.member)) return false;
        // What it says is known when it is revealed, and counts from then on only.
        return apply({ kind: "commitVote", by: event.member, place, right: false });
      case "voteRevealed":
        return reveal(fix, event.member, event.right);
      case "taken":
        return apply({ kind: "take", by: fix.fixer, place });
      default:
        return false;
    }
  }
}

function reveal(fix: CampaignFix, member: Address, right: boolean): boolean {
  const vote = fix.votes.get(member);
  if (vote === undefined) return false;
  Object.assign(vote, { right, revealed: true });
  return true;
}

function keyOf({ entry, row, fix }: FixPlace): string {
  return `${entry}/${row}/${fix}`;
}

/** The instants, Unix seconds, after which a call becomes possible in a campaign without an event. */
export function campaignInstantsOf({ terms, rules, improvement }: Campaign): readonly number[] {
  const entries = rules.entries.flatMap(({ addedAt, refunded }) =>
    refunded ? [] : [addedAt + terms.fixWindow],
  );
  const fixes = rules.places().flatMap((place) => {
    const { state, deadline } = rules.fixOf(place)!;
    return state === "Taken" ? [] : [deadline, deadline + terms.stepWindow];
  });
  const market = improvement === undefined ? [] : improvementInstantsOf(improvement);
  return [...(rules.isOpen ? [terms.closesAt] : []), ...entries, ...fixes, ...market];
}

/** True once it is closed and neither it nor its market holds any account's money. */
export function isCampaignFinal({ rules, improvement }: Campaign): boolean {
  if (improvement !== undefined && !isImprovementOver(improvement)) return false;
  return !rules.isOpen && rules.held() === 0n;
}

/** What an account is in a campaign; empty where it has no part in it. */
export function campaignRolesOf({ terms, rules }: Campaign, account: Address): readonly CampaignRole[] {
  const fixes = rules.places().map((place) => rules.fixOf(place)!);
  const found = {
    owner: sameAddress(terms.owner, account),
    contributor: rules.entries.some(({ author }) => sameAddress(author, account)),
    fixer: fixes.some(({ fixer }) => sameAddress(fixer, account)),
    panel: fixes.some(({ votes }) => [...votes.keys()].some((one) => sameAddress(one, account))),
  };
  return campaignRoles.filter((role) => found[role]);
}

export const campaignRoles = ["owner", "contributor", "fixer", "panel"] as const;
export type CampaignRole = (typeof campaignRoles)[number];

/** Whether votes of a panel can be revealed at `now`, Unix seconds: all have committed, or their time is over. */
export function isVoteOpen({ votes, deadline }: CampaignFix, now: number): boolean {
  return [...votes.values()].every(({ right }) => right !== undefined) || now > deadline;
}
