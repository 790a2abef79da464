import type { CommandContext } from "../framework/declaration.ts";
import type { OwnerOptions } from "../owner/give.ts";
import { giveStakeCall } from "./show.ts";

/** Adds coin to the stake. */
export async function run(
  context: CommandContext,
  args: { coin: bigint },
  options: OwnerOptions,
): Promise<void> {
  await giveStakeCall(context, options, (of) => ({ kind: "deposit", amount: args.coin, of }));
}
