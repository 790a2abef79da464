import { type Campaign, campaignRolesOf, isCampaignFinal } from "../../../protocol/campaign/campaign.ts";
import { type Address, shortId } from "../../../protocol/ids.ts";
import { instant, money } from "../../../ui/format.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { withReader } from "../../steps/reader.ts";
import { readTokens } from "../../steps/tokens.ts";
import { campaignData } from "./view.ts";

/** Whether a campaign takes rows at `now` (Unix seconds), or holds money and the account has a part in it. */
export function isListed(
  campaign: Campaign,
  { now, account }: { readonly now: number; readonly account: Address | undefined },
): boolean {
  if (campaign.rules.isOpen && now <= campaign.terms.closesAt) return true;
  return account !== undefined && !isCampaignFinal(campaign) && campaignRolesOf(campaign, account).length > 0;
}

/** Lists the campaigns of the network that take rows, and those that this account has a part in; newest first. */
export async function run(context: CommandContext, _args: object, options: { all?: true }): Promise<void> {
  const { ui, signal } = context;
  await withReader(context, async ({ market, account }) => {
    const now = await market.now({ signal });
    const isShown = (campaign: Campaign) => options.all || isListed(campaign, { now, account });
    const found = (await market.campaigns({}, { signal })).filter(isShown).reverse();
    const paidIn = found.map(({ terms }) => terms.token);
    const tokens = await readTokens(context, market, paidIn, { signal });
    const campaigns = found.map((campaign) =>
      campaignData(campaign, { now, account, token: tokens(campaign.terms.token) }),
    );
    ui.print({ campaigns }, () =>
      campaigns.length === 0
        ? "No campaign takes rows."
        : ui.table(
            ["CAMPAIGN", "NAME", "YOU", "ROWS", "LEFT", "DEPOSIT", "PRICE", "CLOSES"],
            campaigns.map((one) => [
              shortId(one.campaignId),
              one.name ?? "",
              one.roles.join(", "),
              String(one.rows.added),
              String(one.rows.left),
              money(one.deposit, one.token),
              money(one.price, one.token),
              one.state === "open" ? instant(one.closesAt) : "closed",
            ]),
          ),
    );
  });
}
