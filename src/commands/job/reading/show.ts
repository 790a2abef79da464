import { neutraliseLine } from "../../../protocol/neutralise.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { withReader } from "../../steps/reader.ts";
import { readLinks } from "../../steps/records.ts";
import { readTokens } from "../../steps/tokens.ts";
import { jobData, jobRows } from "../../steps/view.ts";
import { federatedData, federatedIdOf, federatedRows, federatedToken } from "../federated/view.ts";

/** Shows one job as the chain tells it. */
export async function run(context: CommandContext, { id }: { id: string }): Promise<void> {
  const { ui, signal } = context;
  await withReader(context, async ({ market, account }) => {
    const federated = await federatedIdOf(market, id, signal);
    if (federated !== undefined) {
      const job = await market.federatedJob(federated, { signal });
      const token = await federatedToken(context, market, job);
      return ui.print(federatedData(job, account, token), () => rowsText(federatedRows(job, token)));
    }
    const job = await market.job(await market.resolveJob(id, { signal }), { signal });
    const now = await market.now({ signal });
    const tokens = await readTokens(context, market, [job.terms.token], { signal });
    const links = (await readLinks(context, [job.id]))(job.id);
    ui.print(jobData(job, account, tokens, links), () => {
      const rows = jobRows(job, now, tokens, links);
      if (job.reason !== undefined) rows.push(["reason", neutraliseLine(job.reason)]);
      return rowsText(rows);
    });
  });
}

function rowsText(rows: readonly (readonly string[])[]): string {
  return rows.map(([name = "", value]) => `${name.padEnd(14)} ${value}`).join("\n");
}
