import { shortId } from "../../protocol/ids.ts";
import { appealBondOf } from "../../protocol/job/bond.ts";
import { appeal } from "../../roles/job/provider/deliver.ts";
import { money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withJob } from "../steps/role.ts";
import { readTokens } from "../steps/tokens.ts";

/** Disputes a rejection, as the job's provider. */
export async function run(context: CommandContext, { id }: { id: string }): Promise<void> {
  const { ui, signal } = context;
  await withJob(context, id, async (role, job) => {
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
