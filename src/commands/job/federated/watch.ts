import type { JobId } from "../../../protocol/ids.ts";
import type { ClosedRound } from "../../../roles/federated/market/requester/round/books.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import type { MarketView } from "../../steps/reader.ts";
import { fromRecords } from "../../steps/records.ts";
import { printRound } from "./round-table.ts";
import { federatedData, federatedLine, federatedToken } from "./view.ts";

/** Prints a federated job at every change until it has ended; in its requester's home also what became of each round. */
export async function watchFederated(
  context: CommandContext,
  { market, account }: MarketView,
  id: JobId,
): Promise<void> {
  const { ui, signal } = context;
  const token = await federatedToken(context, market, await market.federatedJob(id, { signal }));
  let shown = 0;
  for await (const job of market.followFederated(id, { signal })) {
    for (; shown < job.closings.length; shown++) {
      const closed = await fromRecords(context, (journal) =>
        journal.open("federated-requester", id).outcome<ClosedRound>(`closing-${shown + 1}`),
      );
      if (closed !== undefined) printRound(ui, id, closed, token);
    }
    ui.print(federatedData(job, account, token), () => federatedLine(job));
    if (job.state === "Ended") return;
  }
}
