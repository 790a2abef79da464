import { requireKeystore } from "../../account/keystore.ts";
import { readStake } from "../../roles/daemon/stake.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withReader } from "../steps/reader.ts";
import { showStake } from "./show.ts";

/** Shows the account's stake: at risk, free, leaving. */
export async function run(context: CommandContext): Promise<void> {
  const { config, ui, signal } = context;
  await requireKeystore(config);
  await withReader(context, async ({ market, account }) => {
    showStake(ui, await readStake(market, account!, { signal }));
  });
}
