import type { Receipt } from "../../ports/market.ts";
import type { Job } from "../../protocol/job.ts";
import type { RoleContext, Waits } from "../context.ts";
import { transact } from "../shared/transact.ts";

/** Has drawn validators judge a claimed result; the very step that `carry` takes for a wrong one. */
export function challenge({ market, journal }: RoleContext, job: Job, waits: Waits): Promise<Receipt> {
  return transact(market, journal.open("requester", job.id), { kind: "challenge", job }, waits);
}
