import { IchainError } from "../../../errors/error.ts";
import { type JobId, shortId } from "../../../protocol/ids.ts";
import type { RoleContext } from "../../../roles/context.ts";
import { transact } from "../../../roles/shared/transact.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { federatedData, federatedToken } from "./view.ts";

/** Has a federated job end with the round that is open; rounds that are closed are paid, the others' price comes back. */
export async function stopFederated(context: CommandContext, role: RoleContext, id: JobId): Promise<void> {
  const { ui, signal } = context;
  const job = await role.market.federatedJob(id, { signal });
  if (job.state === "Ended" || job.stopping)
    throw new IchainError(
      "JOB_NOT_RUNNING",
      `Job ${shortId(id)} ${job.stopping ? "stops already" : "is over"}.`,
      {
        hint: `"ichain job ${shortId(id)}" shows it.`,
      },
    );
  const journal = role.journal.open("federated-requester", id);
  await transact(role.market, journal, { kind: "stopFederated", federated: job }, { signal, name: "stop" });
  const stopped = await role.market.federatedJob(id, { signal });
  const token = await federatedToken(context, role.market, stopped);
  ui.print(federatedData(stopped, role.account, token), () =>
    stopped.state === "Ended"
      ? `Job ${shortId(id)} is over before its first round; its price is back.`
      : `Job ${shortId(id)} ends with round ${stopped.closings.length + 1}, which is still paid.`,
  );
}
