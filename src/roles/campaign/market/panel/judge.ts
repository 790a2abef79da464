import type { Abortable } from "../../../../async/abort.ts";
import { impossible } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { type Campaign, isVoteOpen } from "../../../../protocol/campaign/campaign.ts";
import { campaignFeesOf, type FixPlace, voteCommitment } from "../../../../protocol/campaign/terms.ts";
import type { Hex } from "../../../../protocol/ids.ts";
import type { RoleContext } from "../../../context.ts";
import { random32 } from "../../../shared/random.ts";
import { transact } from "../../../shared/transact.ts";
import { allowEscrow } from "../../../tokens.ts";
import { recordLock, undertake, undertakenOf } from "../undertake.ts";

type Context = Pick<RoleContext, "market" | "journal" | "account">;

/** The owner's verdict on a fix. */
export async function judgeFix(
  { market, journal }: Context,
  campaign: Campaign,
  { place, right }: { readonly place: FixPlace; readonly right: boolean },
  options: Abortable,
): Promise<void> {
  const call = { kind: "judgeFix", campaign, place, right } as const;
  const name = nameOf("judge", place);
  await undertake(journal, { campaign: campaign.id, name }, (record) =>
    transact(market, record, call, { ...options, name: "call" }),
  );
}

/**
 * Asks for a panel, for its fees.
 * @throws BUDGET_EXCEEDED
 */
export async function appealFix(
  context: Context & Pick<RoleContext, "budgets" | "lockBudgets">,
  campaign: Campaign,
  place: FixPlace,
  options: Abortable,
): Promise<void> {
  const { market, journal } = context;
  const { terms, id } = campaign;
  await undertake(journal, { campaign: id, name: nameOf("appeal", place) }, async (record) => {
    await recordLock(context, record, { token: terms.token, locked: campaignFeesOf(terms) }, options);
    if (record.intent("call") === undefined)
      await allowEscrow(market, terms.token, campaignFeesOf(terms), { ...options, spender: "campaigns" });
    const call = { kind: "appealFix", campaign, place } as const;
    return await transact(market, record, call, { ...options, name: "call" });
  });
}

interface Vote {
  readonly right: boolean;
  readonly salt: Hex;
}

/**
 * Votes on a fix as a member of its panel: commits now, and reveals once the others have committed or their time is over.
 * A vote that is begun stays as it is.
 */
export async function voteOn(
  context: Context,
  campaign: Campaign,
  { place, right }: { readonly place: FixPlace; readonly right: boolean },
  options: Abortable,
): Promise<void> {
  const name = nameOf("vote", place);
  await undertake(context.journal, { campaign: campaign.id, name }, async (record) => {
    await record.step<Vote, Vote>("draft", {
      prepare: () => ({ right, salt: random32() }),
      act: (vote) => vote,
    });
    await castVote(context, campaign, { place, record }, options);
  });
}

/** Whether this home has begun to vote there, and has not shown its vote. */
export function isVoting({ journal }: Pick<Context, "journal">, campaign: Hex, place: FixPlace): boolean {
  const begun = undertakenOf(journal, campaign, nameOf("vote", place));
  return begun.some(({ finished }) => finished === undefined);
}

/** Commits to what was drafted and reveals it. */
export async function castVote(
  { market, account }: Context,
  campaign: Campaign,
  { place, record }: { readonly place: FixPlace; readonly record: JobJournal },
  options: Abortable,
): Promise<void> {
  const { right, salt } = record.outcome<Vote>("draft")!;
  const commitment = voteCommitment(campaign.id, place, account, right, salt);
  const commit = { kind: "commitVote", campaign, place, commitment } as const;
  await transact(market, record, commit, { ...options, name: "commit" });
  for await (const now of market.followCampaign(campaign.id, options)) {
    const fix = now.rules.fixOf(place) ?? impossible("a vote on a fix that is not there");
    if (fix.state === "Voting" && !isVoteOpen(fix, await market.now(options))) continue;
    const call = { kind: "revealVote", campaign, place, right, salt } as const;
    await transact(market, record, call, { ...options, name: "call" });
    return;
  }
}

function nameOf(act: string, { entry, row, fix }: FixPlace): string {
  return `${act}-${entry}-${row}-${fix}`;
}
