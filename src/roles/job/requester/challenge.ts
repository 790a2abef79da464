import type { Abortable } from "../../../async/abort.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Receipt } from "../../../ports/market.ts";
import { challengeBondOf } from "../../../protocol/job/bond.ts";
import { maskHash } from "../../../protocol/job/exchange.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { seedOf } from "../../../protocol/job/seeds.ts";
import type { RoleContext } from "../../context.ts";
import { transact } from "../../shared/transact.ts";
import { allowEscrow } from "../../tokens.ts";
import type { Draft } from "./posting/draft.ts";

/** Has drawn validators judge a claimed result. `ichain challenge` and `advance` share one step. */
export async function challenge(
  { market }: Pick<RoleContext, "market">,
  journal: JobJournal,
  { job, draft }: { job: Job; draft: Draft },
  options: Abortable,
): Promise<Receipt> {
  if (journal.intent("challenge") === undefined)
    await allowEscrow(market, job.terms.token, challengeBondOf(job.terms), options);
  const call = () => ({ kind: "challenge" as const, job, ...openingFor(draft, job.draws + 1) });
  return transact(market, journal, call, { ...options, name: "challenge" });
}

/** Reveals the requester's seed for the draw under way; without it the provider's seed alone would decide the draw. */
export function revealSeed(
  { market }: Pick<RoleContext, "market">,
  journal: JobJournal,
  { job, draft }: { job: Job; draft: Draft },
  options: Abortable,
): Promise<Receipt> {
  const call = () => ({ kind: "revealSeed" as const, job, ...openingFor(draft, job.draws) });
  return transact(market, journal, call, { ...options, name: `seed-${job.draws}` });
}

/** The values that open `terms.secretHash` for the n-th draw. */
function openingFor({ mask, seedSecret }: Draft, draw: number) {
  return { maskHash: maskHash(mask), seed: seedOf(seedSecret, draw) };
}
