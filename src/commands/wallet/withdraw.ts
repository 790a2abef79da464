import type { IchainError } from "../../errors/error.ts";
import { isIchainError } from "../../errors/error.ts";
import { COIN } from "../../protocol/amounts.ts";
import { sameAddress } from "../../protocol/ids.ts";
import { sweepUnclaimed } from "../../roles/federated/market/requester/sweep.ts";
import { withdrawToken } from "../../roles/shared/withdraw.ts";
import { tokenAddress } from "../../roles/tokens.ts";
import { money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withRole } from "../steps/role.ts";
import { owedTo } from "../steps/tokens.ts";

/**
 * Pays out what the escrows owe the account, also that of federated jobs, with what nobody claimed of those that it
 * posted. A token that refuses keeps no other from being paid; its error comes last.
 */
export async function run(context: CommandContext, args: { token?: string }): Promise<void> {
  const { ui, signal, config } = context;
  const names = { coin: COIN.address, ...config.network?.tokens };
  const wanted = args.token === undefined ? undefined : tokenAddress(args.token, names);
  await withRole(context, async (role) => {
    if (config.network?.contracts.federated !== undefined) await sweepUnclaimed(role, { signal });
    const due = await owedTo(context, role.market, role.account, { signal });
    const withdrawn: { token: (typeof due)[number]["token"]; amount: bigint }[] = [];
    let refused: IchainError | undefined;
    for (const { token, owed, ofRounds } of due) {
      const amount = owed + ofRounds;
      if (amount === 0n || (wanted !== undefined && !sameAddress(wanted, token.address))) continue;
      try {
        if (owed > 0n) await withdrawToken(role, token.address, { signal });
        if (ofRounds > 0n) await withdrawToken(role, token.address, { signal }, "withdrawFederated");
        withdrawn.push({ token, amount });
        ui.reporter.emit({ kind: "info", text: `${money(amount, token)} is withdrawn` });
      } catch (error) {
        if (!isIchainError(error, "TOKEN_WITHHELD")) throw error;
        refused = error;
      }
    }
    if (refused !== undefined) throw refused;
    ui.print({ address: role.account, withdrawn }, () =>
      withdrawn.length === 0 ? "The escrow owes this account nothing." : `Sent to ${role.account}.`,
    );
  });
}
