import { moveStake } from "../../roles/daemon/stake.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withRole } from "../steps/role.ts";
import { showStake } from "./show.ts";

/** Adds coin to the stake. */
export async function run(context: CommandContext, args: { coin: bigint }): Promise<void> {
  const { ui, signal } = context;
  showStake(
    ui,
    await withRole(context, (role) => moveStake(role, { kind: "deposit", amount: args.coin }, { signal })),
  );
}
