import type { Campaign } from "../../../protocol/campaign/campaign.ts";
import { campaignRolesOf } from "../../../protocol/campaign/campaign.ts";
import { type Hex, shortId } from "../../../protocol/ids.ts";
import { money } from "../../../ui/format.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import type { MarketView } from "../../steps/reader.ts";
import { campaignStory, turnText } from "./turns.ts";
import { type CampaignSight, campaignData, sightOf } from "./view.ts";

/** Turns that are told of at most; `ichain data show` has all. */
const MOST_TURNS = 12;

/** Explains in plain sentences where a campaign stands, who can act by when, and what happens then. */
export async function explainCampaign(context: CommandContext, view: MarketView, id: Hex): Promise<void> {
  const { ui, signal } = context;
  const { market, account } = view;
  const campaign = await market.campaign(id, { signal });
  const sight = await sightOf(context, view, campaign);
  const owed =
    account === undefined ? 0n : await market.owedCampaigns(account, campaign.terms.token, { signal });
  const lines = campaignLines(campaign, sight);
  if (owed > 0n) lines.push(`${money(owed, sight.token)} are owed to you: "ichain wallet withdraw".`);
  ui.print({ ...campaignData(campaign, sight), owed, ...campaignStory(campaign, sight) }, () =>
    lines.join("\n"),
  );
}

/** What `why` says of a campaign: this account's turns, then the others'. */
export function campaignLines(campaign: Campaign, sight: CampaignSight): string[] {
  const { stands, next, otherwise, turns } = campaignStory(campaign, sight);
  const roles = sight.account === undefined ? [] : campaignRolesOf(campaign, sight.account);
  const told = turns.toSorted((a, b) => Number(b.yours) - Number(a.yours)).slice(0, MOST_TURNS);
  const more = turns.length - told.length;
  return [
    ...(roles.length > 0
      ? [`You are ${roles.map((role) => titles[role]).join(" and ")} of this campaign.`]
      : []),
    stands,
    ...(told.length > 0
      ? told.map((turn) => `${turnText(turn)} ${turn.otherwise}`)
      : [`${next} ${otherwise}`]),
    ...(more > 0
      ? [`${more} more: "ichain data show ${shortId(campaign.id)}" has every entry and fix.`]
      : []),
  ];
}

const titles = {
  owner: "the owner",
  contributor: "a contributor",
  fixer: "a fixer",
  panel: "in a panel",
} as const;
