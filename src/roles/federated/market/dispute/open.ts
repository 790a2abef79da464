import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Receipt } from "../../../../ports/market.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import { federatedBondOf, federatedPanelFeesOf } from "../../../../protocol/federated/market/terms.ts";
import type { Address } from "../../../../protocol/ids.ts";
import type { RoleContext } from "../../../context.ts";
import { transact } from "../../../shared/transact.ts";
import { allowEscrow } from "../../../tokens.ts";

type Context = Pick<RoleContext, "market">;

/** Has a panel run a closed round again. Daemons and `ichain challenge` share one step. */
export async function challengeRound(
  { market }: Context,
  journal: JobJournal,
  { job, round }: { readonly job: FederatedJob; readonly round: number },
  options: Abortable,
): Promise<Receipt> {
  const { terms } = job;
  const name = `challenge-${round}-${job.judged.length}`;
  if (journal.intent(name) === undefined)
    await allowEscrow(market, terms.token, federatedBondOf(terms), { ...options, spender: "federated" });
  const call = { kind: "challengeRound", federated: job, round } as const;
  return await transact(market, journal, call, { ...options, name });
}

/** Has a panel decide on the strike against `about`, this account. Daemons and `ichain appeal` share one step. */
export async function appealStrike(
  { market }: Context,
  journal: JobJournal,
  { job, about, round }: { readonly job: FederatedJob; readonly about: Address; readonly round: number },
  options: Abortable,
): Promise<Receipt> {
  const { terms } = job;
  const name = `appeal-${round}-${job.judged.length}`;
  if (journal.intent(name) === undefined)
    await allowEscrow(market, terms.token, federatedPanelFeesOf(terms), { ...options, spender: "federated" });
  const call = { kind: "appealStrike", federated: job, about } as const;
  return await transact(market, journal, call, { ...options, name });
}
