import { shortId } from "../../protocol/ids.ts";
import { appealBondOf } from "../../protocol/job/bond.ts";
import { appeal } from "../../roles/job/provider/deliver.ts";
import { money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withRole } from "../steps/role.ts";
import { readTokens } from "../steps/tokens.ts";
import { appealFederated } from "./dispute-federated.ts";
import { federatedIdOf } from "./federated/view.ts";

/** Disputes a rejection, as the job's provider, or a strike in a federated job. */
export async function run(context: CommandContext, { id }: { id: string }): Promise<void> {
  const { ui, signal } = context;
  await withRole(context, async (role) => {
    const federated = await federatedIdOf(role.market, id, signal);
    if (federated !== undefined) return await appealFederated(context, role, { id: federated });
    const job = await role.market.job(await role.market.resolveJob(id, { signal }), { signal });
    await appeal(role.market, role.journal.open("provider", job.id), job, { signal });
    const bond = appealBondOf(job.terms);
    const { state } = await role.market.job(job.id, { signal });
    const token = await readTokens(context, role.market, [job.terms.token], { signal });
    ui.print(
      { jobId: job.id, state, bond, token: token(job.terms.token) },
      () =>
        `Job ${shortId(job.id)} is appealed for a bond of ${money(bond, token(job.terms.token))}. Three validators are drawn; ` +
        `keep "ichain provide" running, it serves them the result.`,
    );
  });
}
