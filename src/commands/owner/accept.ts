import type { CommandContext } from "../framework/declaration.ts";
import { giveChange } from "./change.ts";
import type { OwnerOptions } from "./give.ts";

/** Takes an account over that was offered to this wallet's. */
export async function run(
  context: CommandContext,
  args: { account: string },
  options: Pick<OwnerOptions, "calldata">,
): Promise<void> {
  await giveChange(context, { ...options, ...args }, (of) => ({ kind: "acceptOwnership", of }));
}
