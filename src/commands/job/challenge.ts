import { IchainError } from "../../errors/error.ts";
import { shortId } from "../../protocol/ids.ts";
import { challengeBondOf } from "../../protocol/job/bond.ts";
import { challenge } from "../../roles/job/requester/challenge.ts";
import { openDraft } from "../../roles/job/requester/posting/draft.ts";
import { money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withRole } from "../steps/role.ts";
import { readTokens } from "../steps/tokens.ts";
import { challengeFederated } from "./dispute-federated.ts";
import { federatedIdOf } from "./federated/view.ts";

/** Disputes a result that was claimed without validators, or a round of a federated job that validators closed. */
export async function run(
  context: CommandContext,
  { id }: { id: string },
  { round }: { readonly round?: number },
): Promise<void> {
  const { ui, signal } = context;
  await withRole(context, async (role) => {
    const federated = await federatedIdOf(role.market, id, signal);
    if (federated !== undefined) return await challengeFederated(context, role, { id: federated, round });
    if (round !== undefined)
      throw new IchainError("USAGE", "--round is for federated jobs.", { hint: "Leave it out." });
    const job = await role.market.job(await role.market.resolveJob(id, { signal }), { signal });
    const { journal, draft } = openDraft(role.journal, job.id);
    await challenge(role, journal, { job, draft }, { signal });
    const bond = challengeBondOf(job.terms);
    const { state } = await role.market.job(job.id, { signal });
    const token = await readTokens(context, role.market, [job.terms.token], { signal });
    ui.print({ jobId: job.id, state, bond, token: token(job.terms.token) }, () => {
      const short = shortId(job.id);
      return `Job ${short} is challenged for a bond of ${money(bond, token(job.terms.token))}. "ichain resume ${short}" has validators drawn.`;
    });
  });
}
