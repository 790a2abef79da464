import { IchainError } from "../../errors/error.ts";
import type { TokenInfo } from "../../protocol/amounts.ts";
import type { Campaign } from "../../protocol/campaign/campaign.ts";
import type { CampaignDue } from "../../protocol/campaign/dues.ts";
import type { FixPlace } from "../../protocol/campaign/terms.ts";
import { shortId } from "../../protocol/ids.ts";
import { settleCampaign } from "../../roles/campaign/market/settle.ts";
import type { RoleContext } from "../../roles/context.ts";
import { money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { refuseUnaffordable } from "../steps/planning/funds.ts";
import { withRole } from "../steps/role.ts";
import { readTokens } from "../steps/tokens.ts";

/** What an act in a campaign works with. */
export interface Acting {
  readonly role: RoleContext;
  readonly campaign: Campaign;
  readonly token: TokenInfo;
}

/** Opens the account, and the campaign that starts with `id`. */
export async function actIn(
  context: CommandContext,
  id: string,
  act: (acting: Acting) => Promise<void>,
): Promise<void> {
  const { signal } = context;
  await withRole(context, async (role) => {
    const { market } = role;
    const campaign = await market.campaign(await market.resolveCampaign(id, { signal }), { signal });
    const tokens = await readTokens(context, market, [campaign.terms.token], { signal });
    await act({ role, campaign, token: tokens(campaign.terms.token) });
  });
}

/** Whether the account can pay `amount` and its owner says so. */
export async function isAgreed(
  { ui, signal }: CommandContext,
  { market, account }: Pick<RoleContext, "market" | "account">,
  { amount, token, what }: { readonly amount: bigint; readonly token: TokenInfo; readonly what: string },
  options: { yes?: true },
): Promise<boolean> {
  await refuseUnaffordable(market, account, { total: amount, token }, { signal });
  if (!ui.interactive || options.yes) return true;
  return await ui.prompts.confirm(`${what} for ${money(amount, token)}?`, true);
}

/**
 * The fix at a place.
 * @throws CAMPAIGN_NO_ROW
 */
export function fixAt({ rules, id }: Campaign, place: FixPlace) {
  const entry = rules.entries[place.entry];
  const fix = entry && rules.fixOf(place);
  if (fix !== undefined) return fix;
  throw new IchainError(
    "CAMPAIGN_NO_ROW",
    `Campaign ${shortId(id)} has no fix ${place.entry}/${place.row}/${place.fix}.`,
    { hint: `"ichain data show ${shortId(id)}" lists them.` },
  );
}

/** Does what is due in a campaign and of this kind, for all accounts that it pays: anyone may. */
export async function settleKinds(
  context: CommandContext,
  id: string,
  {
    kinds,
    none,
    done,
  }: { readonly kinds: readonly CampaignDue["kind"][]; readonly none: string; readonly done: string },
): Promise<void> {
  const { ui, signal } = context;
  await actIn(context, id, async ({ role, campaign }) => {
    const wanted = (_: Campaign, { kind }: CampaignDue) => kinds.includes(kind);
    const acts = await settleCampaign(role, campaign.id, wanted, { signal });
    const settled = acts.map((due) => ({
      kind: due.kind,
      ...("place" in due && { place: `${due.place.entry}/${due.place.row}/${due.place.fix}` }),
      ...("entry" in due && { entry: due.entry }),
    }));
    ui.print({ campaignId: campaign.id, settled }, () =>
      settled.length === 0
        ? `${none} "ichain data show ${shortId(campaign.id)}" says what opens when.`
        : `${settled.length} ${done}. "ichain wallet withdraw" pays out what is owed.`,
    );
  });
}
