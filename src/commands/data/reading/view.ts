import type { TokenInfo } from "../../../protocol/amounts.ts";
import type { CampaignFix } from "../../../protocol/campaign/actions.ts";
import { briefOf } from "../../../protocol/campaign/brief.ts";
import { type Campaign, campaignRolesOf, isVoteOpen } from "../../../protocol/campaign/campaign.ts";
import type { FixPlace } from "../../../protocol/campaign/terms.ts";
import { type Address, shortId } from "../../../protocol/ids.ts";
import { instant, money } from "../../../ui/format.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import type { MarketView } from "../../steps/reader.ts";
import { readTokens } from "../../steps/tokens.ts";

export interface CampaignSight {
  readonly now: number;
  readonly account: Address | undefined;
  readonly token: TokenInfo;
}

/** What a campaign is shown with. */
export async function sightOf(
  context: Pick<CommandContext, "config" | "signal">,
  { market, account }: MarketView,
  { terms: { token } }: Campaign,
): Promise<CampaignSight> {
  const { signal } = context;
  const tokens = await readTokens(context, market, [token], { signal });
  return { now: await market.now({ signal }), account, token: tokens(token) };
}

/** A campaign as `--json` has it, without its entries and fixes. */
export function campaignData(campaign: Campaign, { now, account, token }: CampaignSight) {
  const { id, terms, rules, firstSlice, slices } = campaign;
  const { name, about, readers } = briefOf(campaign) ?? {};
  return {
    campaignId: id,
    ...{ name, about, readers: readers && [...readers] },
    state: rules.isOpen ? ("open" as const) : ("closed" as const),
    roles: account === undefined ? [] : [...campaignRolesOf(campaign, account)],
    owner: terms.owner,
    token,
    closesAt: terms.closesAt,
    rows: { added: rules.entries.reduce((sum, { count }) => sum + count, 0), left: rules.left },
    deposit: rules.depositOf(1, now),
    ...{ price: terms.price, reward: terms.reward, bond: terms.bond, fee: terms.fee },
    windows: { fix: terms.fixWindow, step: terms.stepWindow },
    hidden: { slices: terms.slices, first: firstSlice, shown: slices.map(({ slice }) => slice) },
    held: rules.held(),
  };
}

/** The same with every entry and every fix, and what becomes of their money. */
export function wholeCampaign(campaign: Campaign, sight: CampaignSight) {
  const { rules, terms } = campaign;
  return {
    ...campaignData(campaign, sight),
    entries: rules.entries.map((entry, number) => ({
      entry: number,
      author: entry.author,
      rows: entry.count,
      deposit: entry.deposit,
      fixableUntil: entry.addedAt + terms.fixWindow,
      ...{ contested: entry.contested, refunded: entry.refunded },
      fate: entryFate(campaign, number, sight),
    })),
    fixes: placesOf(campaign).map((place) => {
      const fix = rules.fixOf(place)!;
      return {
        place: placeText(place),
        fixer: fix.fixer,
        state: fix.state,
        verdict: verdictOf(fix),
        removes: fix.removes,
        deadline: fix.deadline,
        panel: [...fix.votes].map(([member, { right, revealed }]) => ({
          member,
          committed: right !== undefined,
          vote: revealed ? verdictText(right === true) : undefined,
        })),
        fate: fixFate(campaign, place, sight),
      };
    }),
  };
}

export function placeText({ entry, row, fix }: FixPlace): string {
  return `${entry}/${row}/${fix}`;
}

/** In the order of entries, rows and fixes. */
export function placesOf({ rules }: Campaign): FixPlace[] {
  return rules.places().toSorted((a, b) => a.entry - b.entry || a.row - b.row || a.fix - b.fix);
}

/** What becomes of an entry's rows, in a sentence. */
function entryFate({ rules, terms }: Campaign, number: number, { now, token }: CampaignSight): string {
  const { addedAt, count, contested, deposit, refunded } = rules.entries[number]!;
  const until = addedAt + terms.fixWindow;
  const rest = count - contested;
  const each = money(deposit + terms.price, token);
  const held = contested === 0 ? "" : ` ${contested} are held by fixes, or were fixed.`;
  if (refunded) return `Accepted: ${rest} of ${count} rows, ${each} each.${held}`;
  if (now <= until)
    return `Each of ${count} rows can be fixed until ${instant(until)}; one that stands gets ${each}.${held}`;
  return `Due: ${rest} of ${count} rows get ${each} each ("ichain data refund").${held}`;
}

/** Where a fix stands, who must act by when, and whom it pays, in two sentences. */
function fixFate(campaign: Campaign, place: FixPlace, { now, token }: CampaignSight): string {
  const { rules, terms } = campaign;
  const fix = rules.fixOf(place)!;
  const { state, verdict, deadline, votes } = fix;
  const silent = deadline + terms.stepWindow;
  switch (state) {
    case "Judging":
      if (now <= deadline)
        return `Its owner judges until ${instant(deadline)}. Otherwise author or fixer may ask for a panel.`;
      if (now <= silent)
        return `The owner was silent: author or fixer may appeal until ${instant(silent)}. ${paysText(campaign, place, undefined, token)}`;
      return `Nobody has judged it. ${paysText(campaign, place, undefined, token)}`;
    case "Judged":
      return now <= deadline
        ? `${verdict ? "Right" : "Wrong"}, says the owner: the ${verdict ? "author" : "fixer"} may appeal until ${instant(deadline)}. ${paysText(campaign, place, verdict, token)}`
        : `${verdict ? "Right" : "Wrong"}, and not appealed. ${paysText(campaign, place, verdict, token)}`;
    case "Drawing":
      return now <= deadline
        ? `A panel is being drawn until ${instant(deadline)}.`
        : `No panel was drawn. ${paysText(campaign, place, verdict, token)}`;
    case "Voting": {
      const cast = [...votes.values()];
      const committed = cast.filter(({ right }) => right !== undefined).length;
      const revealed = cast.filter(({ revealed }) => revealed).length;
      const step = isVoteOpen(fix, now)
        ? `${revealed} of ${committed} votes are shown`
        : `${committed} of ${cast.length} have voted`;
      return `A panel of ${cast.length} judges it: ${step}, until ${instant(deadline)}.`;
    }
    case "Taken":
      return rules.rowOf(place).fixedBy === fix
        ? `Right. ${paysText(campaign, place, true, token)}`
        : `${verdict === false ? "Wrong" : "Changed nothing"}. ${paysText(campaign, place, verdict === false ? false : undefined, token)}`;
  }
}

/** Whom a fix pays by a verdict, in a sentence; undefined: there is none. */
export function paysText(
  { rules, terms }: Campaign,
  place: FixPlace,
  verdict: boolean | undefined,
  token: TokenInfo,
): string {
  const { fixer, removes } = rules.fixOf(place)!;
  const { author, deposit } = rules.entries[place.entry]!;
  if (verdict === undefined) return `The row stands, and ${shortId(fixer)} gets its bond back.`;
  if (!verdict) return `${shortId(author)} gets the bond of ${money(terms.bond, token)}.`;
  const sum = terms.bond + deposit + (removes ? 0n : terms.reward);
  return `${shortId(fixer)} gets ${money(sum, token)}: bond, deposit${removes ? "" : " and reward"}; ${shortId(author)} loses the row's deposit.`;
}

function verdictOf({ verdict }: CampaignFix): "right" | "wrong" | undefined {
  return verdict === undefined ? undefined : verdictText(verdict);
}

function verdictText(right: boolean): "right" | "wrong" {
  return right ? "right" : "wrong";
}
