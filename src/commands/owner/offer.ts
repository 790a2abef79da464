import type { CommandContext } from "../framework/declaration.ts";
import { giveChange } from "./change.ts";
import { checkedAddress, type OwnerOptions } from "./give.ts";

/** Offers an account to a new owner, who must accept it. */
export async function run(
  context: CommandContext,
  args: { owner: string },
  options: OwnerOptions,
): Promise<void> {
  const to = checkedAddress(args.owner);
  await giveChange(context, options, (of) => ({ kind: "offerOwnership", to, of }));
}
