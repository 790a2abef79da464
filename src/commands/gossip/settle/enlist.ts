import { openRole } from "../../../compose.ts";
import { amountText, COIN } from "../../../protocol/amounts.ts";
import { enlistInPool } from "../../../roles/gossip/settle/pool.ts";
import { instant } from "../../../ui/format.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { readTicket } from "./ticket.ts";

/** Enlists this home's account in a pool, with the pool's deposit of its stake. */
export async function run(context: CommandContext, args: { ticket: string }): Promise<void> {
  const { ui, signal } = context;
  const ticket = await readTicket(args.ticket);
  await using role = await openRole(context);
  const { id, terms, members } = await enlistInPool(role, ticket, { signal });
  const { providerStake: deposit, roundPrice: pool, enlistBy } = terms;
  ui.print({ job: id, deposit, pool, enlisted: members.length, enlistBy }, () => {
    const locked = amountText(deposit, COIN.decimals);
    return `${locked} of your stake is locked; ${members.length} peers share ${amountText(pool, COIN.decimals)}, others can enlist until ${instant(enlistBy)}.`;
  });
}
