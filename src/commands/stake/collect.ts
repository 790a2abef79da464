import type { CommandContext } from "../framework/declaration.ts";
import type { OwnerOptions } from "../owner/give.ts";
import { giveStakeCall } from "./show.ts";

/** Pays out the stake that was taken out of service, once its cooldown is over. */
export async function run(context: CommandContext, _args: object, options: OwnerOptions): Promise<void> {
  await giveStakeCall(context, options, (of) => ({ kind: "withdrawStake", of }));
}
