import type { Campaign } from "./campaign.ts";
import type { FixPlace } from "./terms.ts";

/** A call that anyone may make to move a campaign on. */
export type CampaignDue =
  | { readonly kind: "take" | "empanel"; readonly place: FixPlace }
  | { readonly kind: "refund"; readonly entry: number }
  | { readonly kind: "close" | "drawSlice" };

/** What anyone can do for a campaign at `now` (the chain's time, Unix seconds) and `block` (the newest one's number). */
export function campaignDuesOf(
  campaign: Campaign,
  { now, block }: { readonly now: number; readonly block: number },
): readonly CampaignDue[] {
  const { rules, terms } = campaign;
  // Anyone's: the rules do not look at who it is.
  const by = terms.owner;
  const fixes = rules.places().flatMap((place): CampaignDue[] => {
    const drawBlock = campaign.amendmentOf(place)?.drawBlock;
    const drawn = drawBlock !== undefined && block > drawBlock;
    if (drawn && rules.allows({ kind: "empanel", by, place }, now)) return [{ kind: "empanel", place }];
    return rules.allows({ kind: "take", by, place }, now) ? [{ kind: "take", place }] : [];
  });
  const refunds = rules.entries.flatMap((_, entry): CampaignDue[] =>
    rules.allows({ kind: "refund", by, entry }, now) ? [{ kind: "refund", entry }] : [],
  );
  const closes = rules.isOpen && now > terms.closesAt;
  const draws = terms.slices > 0 && campaign.firstSlice === undefined && block > campaign.block + DRAW_AFTER;
  return [
    ...fixes,
    ...refunds,
    ...(closes ? [{ kind: "close" } as const] : []),
    ...(draws ? [{ kind: "drawSlice" } as const] : []),
  ];
}

/** Blocks to the block whose hash draws (`CampaignStorage.DRAW_AFTER`). */
const DRAW_AFTER = 2;
