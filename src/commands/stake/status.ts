import { requireKeystore } from "../../account/keystore.ts";
import { readStake } from "../../roles/shared/stake.ts";
import type { AppContext } from "../declaration.ts";
import { withReader } from "../market/reader.ts";
import { showStake } from "./show.ts";

/** Shows the account's stake: at risk, free, leaving. */
export async function run(context: AppContext): Promise<void> {
  const { config, ui, signal } = context;
  await requireKeystore(config);
  await withReader(context, async ({ market, account }) => {
    showStake(ui, await readStake(market, account!, { signal }));
  });
}
