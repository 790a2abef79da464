import { randomInt } from "node:crypto";
import type { Abortable } from "../../../../async/abort.ts";
import type { MarketReader } from "../../../../ports/market.ts";
import type { Address } from "../../../../protocol/ids.ts";
import { type Audit, type AuditPolicy, decideAudit } from "../../../../protocol/policy/audit.ts";

const STEPS = 2 ** 47;

/** Decides, by the chain's record of this account's jobs with `provider`, whether the next one is validated. */
export async function audit(
  { market, account }: { market: MarketReader; account: Address },
  provider: Address,
  policy: AuditPolicy,
  options: Abortable,
  chance: () => number = () => randomInt(STEPS) / STEPS,
): Promise<Audit> {
  const jobs = await market.jobs({ requester: account, provider }, options);
  return decideAudit(jobs, policy, chance());
}
