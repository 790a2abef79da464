import { requireKeystore } from "../../account/keystore.ts";
import { ZERO_ADDRESS } from "../../protocol/ids.ts";
import { coin } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withReader } from "../steps/reader.ts";

/** Prints the account's coin, and what the escrow owes it. */
export async function run(context: CommandContext): Promise<void> {
  const { config, ui, signal } = context;
  await requireKeystore(config);
  await withReader(context, async ({ market, account }) => {
    const [balance, owed] = await Promise.all([
      market.balance(account!, { signal }),
      market.owed(account!, ZERO_ADDRESS, { signal }),
    ]);
    ui.print(
      { address: account, balance, owed },
      () => `${coin(balance)} held\n${coin(owed)} owed by the escrow`,
    );
  });
}
