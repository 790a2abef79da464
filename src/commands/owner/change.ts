import type { Ownership } from "../../ports/market/ownership.ts";
import { type Address, sameAddress } from "../../protocol/ids.ts";
import { changeOwnership, type OwnershipCall } from "../../roles/daemon/stake.ts";
import type { Ui } from "../../ui/ui.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { giveCall, type NamedCall, type OwnerOptions } from "./give.ts";

/** Changes whose an account is, or where it is paid, and shows what holds then; or prints the call for another wallet. */
export async function giveChange(
  context: CommandContext,
  options: OwnerOptions,
  callOf: (of: Address) => OwnershipCall & NamedCall,
): Promise<void> {
  const { ui, signal } = context;
  await giveCall(context, options, callOf, async (role, call) =>
    printOwnership(ui, call.of, await changeOwnership(role, call, { signal })),
  );
}

export function printOwnership(ui: Ui, account: Address, { owner, payee, offeredTo }: Ownership): void {
  ui.print({ address: account, owner, payee, offeredTo }, () =>
    [
      sameAddress(owner, account)
        ? `${account} owns itself: its key moves the stake and names the payee.`
        : `${account} belongs to ${owner}, which alone moves its stake and names its payee.`,
      `What it is owed is paid to ${sameAddress(payee, account) ? "itself" : payee}.`,
      ...(offeredTo === undefined
        ? []
        : [`It is offered to ${offeredTo}; nothing changes until "ichain owner accept ${account}" there.`]),
    ].join("\n"),
  );
}
