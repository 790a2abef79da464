import type { Abortable } from "../../../async/abort.ts";
import type { Receipt } from "../../../ports/market.ts";
import { type Address, sameAddress } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import type { RoleContext } from "../../context.ts";
import { transact } from "../../shared/transact.ts";

/** Rates another party of a final job, with a score of 1 to 5; each subject once. */
export function rate(
  { market, journal, account }: RoleContext,
  { job, subject, score }: { job: Job; subject: Address; score: number },
  options: Abortable,
): Promise<Receipt> {
  const role = sameAddress(job.terms.requester, account) ? "requester" : "provider";
  return transact(
    market,
    journal.open(role, job.id),
    { kind: "rate", job, subject, score },
    { ...options, name: `rate-${subject.toLowerCase()}` },
  );
}
