import { moveStake } from "../../roles/daemon/stake.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { showStake } from "./show.ts";

/** Adds coin to the stake. */
export async function run(context: CommandContext, args: { coin: bigint }): Promise<void> {
  const { ui, signal } = context;
  const { openRole } = await import("../../compose.ts");
  await using role = await openRole(context);
  showStake(ui, await moveStake(role, { kind: "deposit", amount: args.coin }, { signal }));
}
