import type { CommandContext } from "../framework/declaration.ts";
import type { OwnerOptions } from "../owner/give.ts";
import { giveStakeCall } from "./show.ts";

/** Takes free stake out of service; `stake collect` pays it once the cooldown is over. */
export async function run(
  context: CommandContext,
  args: { coin: bigint },
  options: OwnerOptions,
): Promise<void> {
  await giveStakeCall(context, options, (of) => ({ kind: "requestWithdrawal", amount: args.coin, of }));
}
