import { type Campaign, replayCampaign } from "../../../protocol/campaign/campaign.ts";
import type { CampaignEvent } from "../../../protocol/campaign/events.ts";
import { campaignFeesOf, campaignPriceOf } from "../../../protocol/campaign/terms.ts";
import type { Address } from "../../../protocol/ids.ts";

/** An account's money in a campaign, smallest unit: what it paid in, and what it was credited with so far. */
export interface CampaignAccount {
  readonly account: Address;
  readonly paid: bigint;
  readonly credited: bigint;
}

/** A campaign as the events of one second left it. */
export interface CampaignMoment {
  /** Unix seconds. */
  readonly at: number;
  /** Added so far. */
  readonly rows: number;
  /** Credits less payments of the accounts that were asked for, in their order; smallest unit. */
  readonly balances: readonly bigint[];
}

/** Every account that paid something in or was credited, what gained most first. */
export function campaignAccounts(campaign: Campaign): CampaignAccount[] {
  const { owed } = campaign.rules;
  const paid = new Map<Address, bigint>();
  for (const event of campaign.events) count(paid, campaign, event);
  return [...new Set([...paid.keys(), ...owed.keys()])]
    .map((account) => ({ account, paid: paid.get(account) ?? 0n, credited: owed.get(account) ?? 0n }))
    .sort((a, b) => Number(balanceOf(b) - balanceOf(a)));
}

/** What an account has of a campaign: negative while more is paid in than was credited; smallest unit. */
export function balanceOf({ credited, paid }: Pick<CampaignAccount, "credited" | "paid">): bigint {
  return credited - paid;
}

/** Rows and balances at every second that has an event, the opening's first; of more than `most` some, and the last. */
export function campaignHistory(
  { events }: Campaign,
  accounts: readonly Address[],
  most: number,
): CampaignMoment[] {
  const paid = new Map<Address, bigint>();
  const moments: CampaignMoment[] = [];
  let rows = 0;
  for (const campaign of replayCampaign(events)) {
    const event = campaign.events.at(-1)!;
    count(paid, campaign, event);
    if (event.kind === "added") rows += event.count;
    if (moments.at(-1)?.at === event.at) moments.pop();
    const { owed } = campaign.rules;
    const of = (account: Address) => ({
      credited: owed.get(account) ?? 0n,
      paid: paid.get(account) ?? 0n,
    });
    moments.push({ at: event.at, rows, balances: accounts.map((account) => balanceOf(of(account))) });
  }
  const every = Math.ceil(moments.length / most);
  return moments.filter((_, i) => (moments.length - 1 - i) % every === 0);
}

/** Adds what an event's call took from its caller. */
function count(paid: Map<Address, bigint>, { terms, rules }: Campaign, event: CampaignEvent): void {
  const add = (account: Address, amount: bigint) => paid.set(account, (paid.get(account) ?? 0n) + amount);
  if (event.kind === "opened") add(terms.owner, campaignPriceOf(terms));
  if (event.kind === "added") add(event.author, BigInt(event.count) * rules.entries[event.entry]!.deposit);
  if (event.kind === "fixed") add(event.fixer, terms.bond);
  if (event.kind === "appealed") add(event.appellant, campaignFeesOf(terms));
}
