import type { Abortable } from "../../../../async/abort.ts";
import { IchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Campaign } from "../../../../protocol/campaign/campaign.ts";
import { rootCommitment } from "../../../../protocol/campaign/improvement/spec.ts";
import { type Hex, sameAddress, shortId } from "../../../../protocol/ids.ts";
import type { RoleContext } from "../../../context.ts";
import { random32 } from "../../../shared/random.ts";
import { transact } from "../../../shared/transact.ts";
import { undertake, undertakenOf } from "../undertake.ts";
import { improvementOf, replayImprovement } from "./replay.ts";

interface RootVote {
  readonly root: Hex;
  readonly salt: Hex;
}

/**
 * Votes as a member of a market's panel: replays it, commits to the root of its payouts, and shows it once the time to
 * commit is over. A vote that is begun stays as it is.
 * @throws IMPROVEMENT_NOT_DRAWN, and as `replayImprovement`
 */
export async function voteRoot(context: RoleContext, campaign: Campaign, options: Abortable): Promise<Hex> {
  const { market, account, journal } = context;
  const { state } = improvementOf(campaign);
  const panel = state === "Voting" ? await market.improvementPanel(campaign.id, options) : [];
  if (!panel.some((member) => sameAddress(member, account)))
    throw new IchainError(
      "IMPROVEMENT_NOT_DRAWN",
      `This account is in no panel that replays the market of campaign ${shortId(campaign.id)} now.`,
    );
  return await undertake(journal, { campaign: campaign.id, name: "root" }, async (record) => {
    const { root } = await record.step<null, RootVote>("draft", {
      prepare: () => null,
      act: async () => {
        const replayed = await replayImprovement(context, campaign.id, options);
        return { root: replayed.root, salt: random32() };
      },
    });
    await castRoot(context, campaign, record, options);
    return root;
  });
}

/** Whether this home has begun to vote there, and has not shown its root. */
export function isVotingRoot({ journal }: Pick<RoleContext, "journal">, campaign: Hex): boolean {
  return undertakenOf(journal, campaign, "root").some(({ finished }) => finished === undefined);
}

/** Commits to what was drafted and shows it. */
export async function castRoot(
  { market, account }: Pick<RoleContext, "market" | "account">,
  campaign: Campaign,
  record: JobJournal,
  options: Abortable,
): Promise<void> {
  const { root, salt } = record.outcome<RootVote>("draft")!;
  const commitment = rootCommitment(campaign.id, account, root, salt);
  const commit = { kind: "commitRoot", improvement: campaign, commitment } as const;
  await transact(market, record, commit, { ...options, name: "commit" });
  for await (const now of market.followCampaign(campaign.id, options)) {
    const { state, deadline } = improvementOf(now);
    if (state === "Voting" && (await market.now(options)) <= deadline) continue;
    const call = { kind: "revealRoot", improvement: campaign, root, salt } as const;
    await transact(market, record, call, { ...options, name: "call" });
    return;
  }
}
