import type { CommandContext } from "../framework/declaration.ts";
import { giveChange } from "./change.ts";
import { checkedAddress, type OwnerOptions } from "./give.ts";

/** Sets where the account's stake, and all that it is owed, are paid. */
export async function run(
  context: CommandContext,
  args: { payee: string },
  options: OwnerOptions,
): Promise<void> {
  const payee = checkedAddress(args.payee);
  await giveChange(context, options, (of) => ({ kind: "setPayee", payee, of }));
}
