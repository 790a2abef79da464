import type { Abortable } from "../../../async/abort.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Market, Receipt } from "../../../ports/market.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { seedOf } from "../../../protocol/job/seeds.ts";
import { transact } from "../../shared/transact.ts";
import type { Packed } from "./pack-result.ts";

/**
 * Draws validators with the provider's seed: the draw under way, or, where the requester appointed nobody, one of
 * the provider's own. A provider that keeps its seed back is slashed.
 */
export function draw(
  market: Market,
  journal: JobJournal,
  { job, packed }: { job: Job; packed: Packed },
  options: Abortable,
): Promise<Receipt> {
  const number = job.state === "Submitted" ? job.draws + 1 : job.draws;
  const call = () => ({ kind: "draw" as const, job, seed: seedOf(packed.seedSecret, number) });
  return transact(market, journal, call, { ...options, name: `draw-${number}` });
}
