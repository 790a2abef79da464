import { moveStake } from "../../roles/daemon/stake.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { showStake } from "./show.ts";

/** Pays out the stake that was taken out of service, once its cooldown is over. */
export async function run(context: CommandContext): Promise<void> {
  const { ui, signal } = context;
  const { openRole } = await import("../../compose.ts");
  await using role = await openRole(context);
  showStake(ui, await moveStake(role, { kind: "withdrawStake" }, { signal }));
}
