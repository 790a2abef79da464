import { IchainError } from "../../../errors/error.ts";
import type { MarketReader } from "../../../ports/market.ts";
import type { FederatedJob } from "../../../protocol/federated/market/job.ts";
import { type Address, shortId } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { isFinal } from "../../../protocol/job/state.ts";
import type { Links } from "../../../roles/job/requester/successors/go-on.ts";
import { money } from "../../../ui/format.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { withReader } from "../../steps/reader.ts";
import { readLinks } from "../../steps/records.ts";
import { readTokens } from "../../steps/tokens.ts";
import { due, jobData, roleIn } from "../../steps/view.ts";
import { federatedData, federatedLine, federatedRoleIn } from "../federated/view.ts";

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
    const federated = await federatedOf(market, account, { signal, all: options.all });
    const paidIn = [...jobs, ...federated].map(({ terms }) => terms.token);
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
    const data = {
      jobs: jobs.map((job) => jobData(job, account, tokens, links(job.id))),
      ...(federated.length > 0 && {
        federated: federated.map((job) => federatedData(job, account, tokens(job.terms.token))),
      }),
    };
    ui.print(data, () => {
      const table = ["JOB", "ROLE", "STATE", "VERDICT", "PRICE", "DUE", "LINKED"];
      const lines = federated.map(
        (job) => `${federatedRoleIn(job, account) ?? "invited"}: ${federatedLine(job)}`,
      );
      if (jobs.length + lines.length === 0) return `No ${options.all ? "" : "open "}jobs.`;
      return [...(jobs.length > 0 ? [ui.table(table, jobs.map(row))] : []), ...lines].join("\n");
    });
  });
}

/** The federated jobs of an account, newest first. */
async function federatedOf(
  market: MarketReader,
  account: Address,
  { signal, all }: { signal: AbortSignal; all: true | undefined },
): Promise<FederatedJob[]> {
  const lists = await Promise.all([
    market.federatedJobs({ requester: account }, { signal }),
    market.federatedJobs({ provider: account }, { signal }),
  ]);
  return lists
    .flat()
    .filter(({ state }) => all || state !== "Ended")
    .toSorted((a, b) => b.block - a.block);
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
