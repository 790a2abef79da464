import type { IchainError } from "../../errors/error.ts";
import { isIchainError } from "../../errors/error.ts";
import type { MarketReader } from "../../ports/market.ts";
import { COIN } from "../../protocol/amounts.ts";
import { type Address, sameAddress } from "../../protocol/ids.ts";
import { sweepUnclaimed } from "../../roles/federated/market/requester/sweep.ts";
import { withdrawToken } from "../../roles/shared/withdraw.ts";
import { tokenAddress } from "../../roles/tokens.ts";
import { money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { namedAccount, type OwnerOptions, showCalls } from "../owner/give.ts";
import { withRole } from "../steps/role.ts";
import { owedTo, type WithdrawKind } from "../steps/tokens.ts";

/**
 * Pays out what the escrows and the data campaigns owe the account to its payee, with what nobody claimed of those
 * that it posted. A token that refuses keeps no other from being paid; its error comes last.
 */
export async function run(
  context: CommandContext,
  args: { token?: string },
  options: OwnerOptions,
): Promise<void> {
  const { ui, signal } = context;
  if (options.calldata) {
    return await showCalls(context, options, async (of, market) =>
      (await dueTo(context, market, of, args.token)).flatMap(({ calls }) => calls),
    );
  }
  const named = namedAccount(options);
  await withRole(context, async (role) => {
    const of = named ?? role.account;
    const { payee } = await role.market.ownership(of, { signal });
    const { federated } = context.config.network?.contracts ?? {};
    if (federated !== undefined) await sweepUnclaimed({ ...role, account: of }, { signal });
    const due = await dueTo(context, role.market, of, args.token);
    const withdrawn: Pick<(typeof due)[number], "token" | "amount">[] = [];
    let refused: IchainError | undefined;
    for (const { token, amount, calls } of due) {
      try {
        for (const call of calls) await withdrawToken(role, call, { signal });
        withdrawn.push({ token, amount });
        ui.reporter.emit({ kind: "info", text: `${money(amount, token)} is withdrawn` });
      } catch (error) {
        if (!isIchainError(error) || error.class !== "refused") throw error;
        refused = error;
      }
    }
    if (refused !== undefined) throw refused;
    ui.print({ address: of, payee, withdrawn }, () =>
      withdrawn.length === 0 ? "The escrow owes this account nothing." : `Sent to ${payee}.`,
    );
  });
}

/** What an account is owed, by token, and the calls that pay it; of all tokens, or of one by its name or address. */
async function dueTo(context: CommandContext, market: MarketReader, of: Address, name: string | undefined) {
  const names = { coin: COIN.address, ...context.config.network?.tokens };
  const wanted = name === undefined ? undefined : tokenAddress(name, names);
  const due = await owedTo(context, market, of, { signal: context.signal });
  return due
    .filter(({ token: { address } }) => wanted === undefined || sameAddress(wanted, address))
    .map(({ token, total, sums }) => {
      const kinds = (Object.keys(sums) as WithdrawKind[]).filter((kind) => sums[kind] > 0n);
      return { token, amount: total, calls: kinds.map((kind) => ({ kind, token: token.address, of })) };
    })
    .filter(({ amount }) => amount > 0n);
}
