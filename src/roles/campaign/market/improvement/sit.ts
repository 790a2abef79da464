import { type Abortable, linkSignals } from "../../../../async/abort.ts";
import { retryTransient } from "../../../../async/retry.ts";
import type { OwnerNotifier } from "../../../../ports/notifier.ts";
import type { Campaign } from "../../../../protocol/campaign/campaign.ts";
import { type Hex, sameAddress, shortId } from "../../../../protocol/ids.ts";
import type { RoleContext } from "../../../context.ts";
import { retryText } from "../../../shared/note.ts";
import { drawImprovement } from "./settle.ts";
import { isVotingRoot, voteRoot } from "./vote.ts";

/**
 * What `ichain validate` does in the panels of improvement markets, until a signal aborts: a replay is no opinion, so it
 * votes by itself where it is drawn. It tells its owner where it cannot.
 */
export async function sitInImprovements(
  context: RoleContext & { readonly notifier: OwnerNotifier },
  { signal, draining }: Abortable & { readonly draining: AbortSignal },
): Promise<void> {
  const { market, account, reporter, notifier } = context;
  const stop = new AbortController();
  using own = linkSignals([signal, draining, stop.signal]);
  const warn = (error: Error, pause: number) =>
    reporter.emit({ kind: "warn", text: retryText(error, pause) });
  const running = new Map<Hex, Promise<void>>();
  await using _running = {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.all(running.values());
    },
  };
  const begin = ({ id }: Campaign, work: () => Promise<unknown>) => {
    const done = retryTransient(work, warn, own)
      .then(() => undefined)
      .catch((error: Error) => {
        if (own.signal.aborted) return;
        const text = `Drawn to replay the improvement market of campaign ${shortId(id)}, this account has not voted: ${error.message} "ichain improve vote ${shortId(id)}" tries again.`;
        reporter.emit({ kind: "warn", text });
        notifier.tell({ event: "needs-you", text });
      });
    running.set(id, done);
  };
  try {
    for await (const campaign of market.watchCampaigns({}, own)) {
      const { improvement, id } = campaign;
      if (improvement?.state !== "Voting" || running.has(id)) continue;
      const isMine = (one: string) => sameAddress(one as Hex, account);
      if (improvement.roots.some(({ member }) => isMine(member))) continue;
      const isLate = (await market.now(own)) > improvement.deadline;
      if (isLate && !isVotingRoot(context, id)) continue;
      if (!(await market.improvementPanel(id, own)).some(isMine)) continue;
      begin(campaign, () => voteRoot(context, campaign, own));
    }
  } catch (error) {
    if (signal.aborted || !draining.aborted) throw error; // else it is drained
  }
}

/** What `ichain serve` does in the market of a campaign that its account has a part in: what is due and anyone's. */
export async function serveImprovement(
  context: RoleContext,
  campaign: Campaign,
  options: Abortable,
): Promise<void> {
  if (campaign.improvement === undefined) return;
  await drawImprovement(context, campaign.id, options);
}
