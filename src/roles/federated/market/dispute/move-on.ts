import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { isRipe } from "../../../../protocol/federated/market/exits.ts";
import type { Dispute, FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { WorkerContext } from "../../../context.ts";
import { transact } from "../../../shared/transact.ts";
import { unlessRefused } from "../unless-refused.ts";

/** Between two tries to draw a panel: the block whose hash draws may not be mined yet. */
const DRAW_MS = 1_000;

/** Has the panels of a job's disputes drawn and concludes those that are ripe: anyone may, and each party's daemon does. */
export async function moveDisputesOn(
  { market }: Pick<WorkerContext, "market">,
  journal: JobJournal,
  job: FederatedJob,
  options: Abortable,
): Promise<void> {
  for (const { number } of job.disputes) {
    let now = job;
    for (
      let open = disputeNumbered(now, number);
      open?.drawBlock !== undefined;
      open = disputeNumbered(now, number)
    ) {
      const call = { kind: "empanel", federated: now, about: open.about } as const;
      const name = `empanel-${number}-${open.drawBlock}`;
      await unlessRefused(() => transact(market, journal, call, { ...options, name }));
      now = await market.federatedJob(job.id, options);
      if (disputeNumbered(now, number)?.drawBlock !== undefined) await delay(DRAW_MS, undefined, options);
    }
    const drawn = disputeNumbered(now, number);
    if (drawn === undefined || !isRipe(now, drawn, await market.now(options))) continue;
    const call = { kind: "concludeDispute", federated: now, about: drawn.about } as const;
    await unlessRefused(() => transact(market, journal, call, { ...options, name: `conclude-${number}` }));
  }
}

export function disputeNumbered({ disputes }: FederatedJob, number: number): Dispute | undefined {
  return disputes.find((one) => one.number === number);
}
