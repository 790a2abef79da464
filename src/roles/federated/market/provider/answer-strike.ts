import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { OwnerNotifier } from "../../../../ports/notifier.ts";
import { COIN } from "../../../../protocol/amounts.ts";
import { memberOf } from "../../../../protocol/federated/market/fold.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import { federatedPanelFeesOf } from "../../../../protocol/federated/market/terms.ts";
import { shortId } from "../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../context.ts";
import type { ProviderSetup } from "../../../job/provider/accept.ts";
import { noteAndReport } from "../../../shared/note.ts";
import { appealStrike } from "../dispute/open.ts";
import { unlessRefused } from "../unless-refused.ts";
import type { Enlisted } from "./enlist.ts";
import { trainsTheSame } from "./retrain.ts";

/** Trains a round again for which this provider was struck, and appeals where that gives the same update. */
export async function answerStrike(
  context: WorkerContext & { readonly notifier: OwnerNotifier },
  journal: JobJournal,
  {
    job,
    setup,
    enlisted,
  }: { readonly job: FederatedJob; readonly setup: ProviderSetup; readonly enlisted: Enlisted },
  options: Abortable,
): Promise<void> {
  const { market, account, notifier } = context;
  const member = memberOf(job, account);
  const strike = member?.strike;
  if (member?.standing !== "struck" || strike === undefined) return;
  if ((await market.now(options)) > strike.appealBy) return;
  const { round } = strike.found;
  const name = `struck-${round}-${strike.found.upload.slice(2, 18)}`;
  if (journal.outcome(name) !== undefined) return;
  const same = await trainsTheSame(context, journal, { job, round, setup, enlisted }, options);
  const { token, providerStake } = job.terms;
  // A panel's fees are spent whatever it finds.
  const isWorthIt = token !== COIN.address || federatedPanelFeesOf(job.terms) < providerStake;
  const appeals = same === true && isWorthIt && setup.policy.appeal === "always";
  if (appeals)
    await unlessRefused(() => appealStrike(context, journal, { job, about: account, round }, options));
  await journal.step(name, { prepare: () => ({ same, appeals }), act: (one) => one });
  const why =
    same === undefined
      ? "what it was trained from is no longer here"
      : same
        ? "training it again here gives the same update"
        : "training it again here gives another update";
  const until = new Date(strike.appealBy * 1000).toISOString();
  const what = appeals ? "appealed" : `not appealed ("ichain appeal ${shortId(job.id)}" can, until ${until})`;
  const text = `struck for round ${round}: ${why}; ${what}`;
  noteAndReport(context, journal, text, "warn");
  notifier.tell({
    event: appeals ? "failed" : "needs-you",
    job: job.id,
    text: `Job ${shortId(job.id)}: ${text}`,
  });
}
