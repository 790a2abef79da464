import { IchainError } from "../../errors/error.ts";
import { memberOf } from "../../protocol/federated/market/fold.ts";
import { challengeBy, type FederatedJob } from "../../protocol/federated/market/job.ts";
import { federatedBondOf, federatedPanelFeesOf } from "../../protocol/federated/market/terms.ts";
import { type JobId, shortId } from "../../protocol/ids.ts";
import type { RoleContext } from "../../roles/context.ts";
import { appealStrike, challengeRound } from "../../roles/federated/market/dispute/open.ts";
import { money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { federatedRoleIn, federatedToken } from "./federated/view.ts";

/**
 * Has a panel run a closed round of a federated job again, the last one unless `round` names another.
 * @throws DISPUTE_IMPOSSIBLE
 */
export async function challengeFederated(
  context: CommandContext,
  role: RoleContext,
  { id, round: given }: { readonly id: JobId; readonly round: number | undefined },
): Promise<void> {
  const { ui, signal } = context;
  const job = await role.market.federatedJob(id, { signal });
  const party = federatedRoleIn(job, role.account);
  const round = given ?? job.closings.length;
  if (party === undefined) throw impossible(job, "this account has no part in it");
  if (job.terms.seats === 0)
    throw impossible(job, "its requester leads it, and no validator has a fee to run its rounds again");
  if (round < 1 || round > job.closings.length)
    throw impossible(job, `round ${round} is not closed: ${job.closings.length} are`);
  if ((await role.market.now({ signal })) > challengeBy(job, round))
    throw impossible(job, `the time to challenge round ${round} is over`);
  await challengeRound(role, role.journal.open(`federated-${party}`, id), { job, round }, { signal });
  const bond = federatedBondOf(job.terms);
  const token = await federatedToken(context, role.market, job);
  const { state } = await role.market.federatedJob(id, { signal });
  ui.print(
    { jobId: id, state, bond, token },
    () =>
      `Round ${round} of job ${shortId(id)} is challenged for a bond of ${money(bond, token)}: three validators that have no part in it run it again. Half of the round's price is lost if they confirm it.`,
  );
}

/**
 * Has a panel decide on the strike against this account.
 * @throws DISPUTE_IMPOSSIBLE
 */
export async function appealFederated(
  context: CommandContext,
  role: RoleContext,
  { id }: { readonly id: JobId },
): Promise<void> {
  const { ui, signal } = context;
  const job = await role.market.federatedJob(id, { signal });
  const member = memberOf(job, role.account);
  const { standing, strike } = member ?? {};
  if (standing !== "struck" || strike === undefined)
    throw impossible(job, "this account is not struck in it");
  if ((await role.market.now({ signal })) > strike.appealBy)
    throw impossible(job, "the time to appeal is over");
  const about = member!.account;
  const { round } = strike.found;
  await appealStrike(role, role.journal.open("federated-provider", id), { job, about, round }, { signal });
  const bond = federatedPanelFeesOf(job.terms);
  const token = await federatedToken(context, role.market, job);
  const { state } = await role.market.federatedJob(id, { signal });
  ui.print(
    { jobId: id, state, bond, token },
    () =>
      `The strike for round ${round} of job ${shortId(id)} is appealed for ${money(bond, token)}, a panel's fees: three validators that have no part in it train the round again.`,
  );
}

function impossible({ id }: FederatedJob, why: string): IchainError {
  return new IchainError("DISPUTE_IMPOSSIBLE", `Job ${shortId(id)} cannot be disputed so: ${why}.`, {
    hint: `"ichain why ${shortId(id)}" says where it stands.`,
  });
}
