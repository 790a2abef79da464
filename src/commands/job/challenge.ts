import { shortId } from "../../protocol/ids.ts";
import { challengeBondOf } from "../../protocol/job/bond.ts";
import { challenge } from "../../roles/job/requester/challenge.ts";
import { openDraft } from "../../roles/job/requester/posting/draft.ts";
import { money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withJob } from "../steps/role.ts";
import { readTokens } from "../steps/tokens.ts";

/** Disputes a result that was claimed without validators. */
export async function run(context: CommandContext, args: { id: string }): Promise<void> {
  const { ui, signal } = context;
  await withJob(context, args.id, async (role, job) => {
    const { journal, draft } = openDraft(role.journal, job.id);
    await challenge(role, journal, { job, draft }, { signal });
    const bond = challengeBondOf(job.terms);
    const { state } = await role.market.job(job.id, { signal });
    const token = await readTokens(context, role.market, [job.terms.token], { signal });
    ui.print({ jobId: job.id, state, bond, token: token(job.terms.token) }, () => {
      const id = shortId(job.id);
      return `Job ${id} is challenged for a bond of ${money(bond, token(job.terms.token))}. "ichain resume ${id}" has validators drawn.`;
    });
  });
}
