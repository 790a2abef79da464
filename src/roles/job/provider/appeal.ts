import type { Abortable } from "../../../async/abort.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Market, Receipt } from "../../../ports/market.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { transact } from "../../shared/transact.ts";

/** Has three drawn validators judge a rejected result again; by hand or by the daemon, it is one step. */
export function appeal(market: Market, journal: JobJournal, job: Job, options: Abortable): Promise<Receipt> {
  return transact(market, journal, { kind: "appeal", job }, options);
}
