import { moveStake } from "../../roles/daemon/stake.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withRole } from "../steps/role.ts";
import { showStake } from "./show.ts";

/** Pays out the stake that was taken out of service, once its cooldown is over. */
export async function run(context: CommandContext): Promise<void> {
  const { ui, signal } = context;
  showStake(ui, await withRole(context, (role) => moveStake(role, { kind: "withdrawStake" }, { signal })));
}
