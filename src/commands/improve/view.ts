import type { TokenInfo } from "../../protocol/amounts.ts";
import type { Campaign } from "../../protocol/campaign/campaign.ts";
import { heldByImprovement } from "../../protocol/campaign/improvement/market.ts";
import { replaySpecOf } from "../../protocol/campaign/improvement/spec.ts";
import { type MarketPayout, OWNERS_ENTRY } from "../../protocol/campaign/models/improvement.ts";
import type { Address } from "../../protocol/ids.ts";
import { improvementOf } from "../../roles/campaign/market/improvement/replay.ts";
import { instant } from "../../ui/format.ts";

/** A market as `--json` has it. */
export function improvementData(
  campaign: Campaign,
  {
    token,
    now,
    panel,
  }: { readonly token: TokenInfo; readonly now: number; readonly panel: readonly Address[] },
) {
  const market = improvementOf(campaign);
  const { owner, offer, state, deadline, stakes, committed, roots, root, paid } = market;
  const same = (one: Address) => (other: Address) => other.toLowerCase() === one.toLowerCase();
  return {
    campaignId: campaign.id,
    ...{ state, stands: standsText(campaign, now), owner, token },
    ...{ bounty: offer.bounty, leastStake: offer.leastStake, fee: offer.fee, showBy: offer.showBy },
    replay: replaySpecOf(offer.spec),
    ...{ deadline, held: heldByImprovement(market) },
    stakes: stakes.map(({ entry, author, amount }) => ({ entry, author, amount, paid: paid.get(entry) })),
    ownersPart: paid.get(OWNERS_ENTRY),
    panel: panel.map((member) => ({
      member,
      committed: committed.some(same(member)),
      root: roots.find((one) => same(member)(one.member))?.root,
    })),
    root,
  };
}

/** Where a market stands, in a sentence or two. */
function standsText(campaign: Campaign, now: number): string {
  const { state, deadline, offer, stakes } = improvementOf(campaign);
  const shown = campaign.slices.length;
  switch (state) {
    case "Open":
      if (now > deadline) return 'The time to show the test set is over: "ichain improve take" goes on.';
      if (now <= campaign.terms.closesAt && shown === 1)
        return `Authors can stake on their entries until ${instant(campaign.terms.closesAt)}, or the next slice.`;
      if (shown === 0) return "Stakes are taken once the first slice of the test set is shown.";
      return `The owner shows all slices by ${instant(deadline)}; ${shown} of ${campaign.terms.slices} are. Otherwise stakes go back with the bounty.`;
    case "Drawing":
      return now <= deadline
        ? `A panel is being drawn, until ${instant(deadline)}.`
        : "No panel was drawn: stakes go back.";
    case "Voting":
      if (now <= deadline) return `The panel replays the market and commits until ${instant(deadline)}.`;
      return `The panel shows its roots until ${instant(deadline + offer.stepWindow)}.`;
    case "Settled":
      return `The panel agreed; accounts are credited until ${instant(deadline)}, then the owner with the rest.`;
    case "Void":
      return stakes.length === 0 ? "There was no stake." : "The panel did not agree: stakes go back.";
    case "Unshown":
      return "The owner did not show its test set: stakes go back with the bounty.";
  }
}

/** A payout as `--json` has it. */
export function payoutData({ entry, account, amount }: MarketPayout) {
  return { ...(entry !== OWNERS_ENTRY && { entry }), account, amount };
}

export function payoutTitle(entry: number | undefined): string {
  return entry === undefined ? "the owner's part" : `entry ${entry}`;
}
