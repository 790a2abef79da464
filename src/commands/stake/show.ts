import type { Address } from "../../protocol/ids.ts";
import { sameAddress } from "../../protocol/ids.ts";
import { moveStake, type Stake, type StakeCall } from "../../roles/daemon/stake.ts";
import { coin, instant } from "../../ui/format.ts";
import type { Ui } from "../../ui/ui.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { giveCall, type NamedCall, type OwnerOptions } from "../owner/give.ts";

/** Moves stake and shows what it is then; or prints the call for another wallet. */
export async function giveStakeCall(
  context: CommandContext,
  options: OwnerOptions,
  callOf: (of: Address) => StakeCall & NamedCall,
): Promise<void> {
  const { ui, signal } = context;
  await giveCall(context, options, callOf, async (role, call) =>
    showStake(ui, await moveStake(role, call, { signal })),
  );
}

/** What every stake command ends with. */
export function showStake(ui: Ui, stake: Stake): void {
  const { account, total, locked, leaving, banned, owner, payee } = stake;
  const gone = leaving.amount > 0n ? leaving : undefined;
  const sums = { stake: total, locked, free: total - locked, leaving: gone };
  ui.print({ address: account, ...sums, banned, owner, payee }, () =>
    [
      `${coin(total)} at stake, of which ${coin(locked)} in jobs under way`,
      ...(gone
        ? [`${coin(gone.amount)} leaving: "ichain stake collect" pays it from ${instant(gone.availableAt)}`]
        : []),
      ...(sameAddress(owner, account) ? [] : [`It belongs to ${owner}.`]),
      ...(sameAddress(payee, account) ? [] : [`What leaves it is paid to ${payee}.`]),
      ...(banned ? ["The account was slashed too often and is banned."] : []),
    ].join("\n"),
  );
}
