import { IchainError } from "../../../errors/error.ts";
import { shortId } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { isFinal } from "../../../protocol/job/state.ts";
import type { Links } from "../../../roles/job/requester/successors/go-on.ts";
import { money } from "../../../ui/format.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { withReader } from "../../steps/reader.ts";
import { readLinks } from "../../steps/records.ts";
import { readTokens } from "../../steps/tokens.ts";
import { due, jobData, roleIn } from "../../steps/view.ts";

/** Lists the account's jobs in every role, newest first. */
export async function run(context: CommandContext, _args: object, options: { all?: true }): Promise<void> {
  const { ui, signal } = context;
  await withReader(context, async ({ market, account }) => {
    if (account === undefined) throw noAccount();
    const lists = await Promise.all([
      market.jobs({ requester: account }, { signal }),
      market.jobs({ provider: account }, { signal }),
      market.jobs({ validator: account }, { signal }),
    ]);
    const jobs = [...new Map(lists.flat().map((job) => [job.id, job])).values()]
      .filter((job) => options.all || !isFinal(job.state))
      .toSorted((a, b) => b.postedBlock - a.postedBlock);
    const now = await market.now({ signal });
    const paidIn = jobs.map(({ terms }) => terms.token);
    const tokens = await readTokens(context, market, paidIn, { signal });
    const links = await readLinks(
      context,
      jobs.map(({ id }) => id),
    );
    const row = (job: Job): string[] => [
      shortId(job.id),
      roleIn(job, account) ?? "",
      job.state,
      job.verdict,
      money(job.terms.price, tokens(job.terms.token)),
      due(job, now),
      chainText(links(job.id)),
    ];
    ui.print({ jobs: jobs.map((job) => jobData(job, account, tokens, links(job.id))) }, () =>
      jobs.length === 0
        ? `No ${options.all ? "" : "open "}jobs.`
        : ui.table(["JOB", "ROLE", "STATE", "VERDICT", "PRICE", "DUE", "LINKED"], jobs.map(row)),
    );
  });
}

/** `3fa9c01b →`, `→ 77d0a2c4`: the jobs before and after. */
function chainText({ previous, next }: Links): string {
  const parts = [...(previous ? [`${shortId(previous)} →`] : []), ...(next ? [`→ ${shortId(next)}`] : [])];
  return parts.join(", ");
}

function noAccount(): IchainError {
  return new IchainError("NO_WALLET", "There is no wallet yet, so there are no jobs of yours.", {
    hint: 'Make a wallet with "ichain wallet create", or name a job: "ichain job ID".',
  });
}
