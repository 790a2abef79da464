import { requireKeystore } from "../../account/keystore.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withReader } from "../steps/reader.ts";
import { printOwnership } from "./change.ts";
import { checkedAddress } from "./give.ts";

/** Shows whose an account is, and where it is paid. */
export async function run(context: CommandContext, args: { account?: string }): Promise<void> {
  const { config, ui, signal } = context;
  if (args.account === undefined) await requireKeystore(config);
  await withReader(context, async ({ market, account: own }) => {
    const account = args.account === undefined ? own! : checkedAddress(args.account);
    printOwnership(ui, account, await market.ownership(account, { signal }));
  });
}
