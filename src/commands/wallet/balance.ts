import { requireKeystore } from "../../account/keystore.ts";
import { COIN } from "../../protocol/amounts.ts";
import { sameAddress } from "../../protocol/ids.ts";
import { money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withReader } from "../steps/reader.ts";
import { owedTo } from "../steps/tokens.ts";

/** Prints what the account holds and what the escrow owes it. */
export async function run(context: CommandContext): Promise<void> {
  const { config, ui, signal } = context;
  await requireKeystore(config);
  await withReader(context, async ({ market, account }) => {
    const [coin, ...others] = await owedTo(context, market, account!, { signal });
    const balance = await market.balance(account!, { signal });
    const tokens = await Promise.all(
      others.map(async ({ token, total }) => {
        const { balance } = await market.tokenFunds(account!, token.address, { signal });
        return { token, balance, owed: total };
      }),
    );
    const { owner, payee } = await market.ownership(account!, { signal });
    const owed = coin?.total ?? 0n;
    ui.print({ address: account, balance, owed, tokens, owner, payee }, () =>
      [
        ...[{ token: COIN, balance, owed }, ...tokens].flatMap((one) => [
          `${money(one.balance, one.token)} held`,
          `${money(one.owed, one.token)} owed by the escrow`,
        ]),
        ...(sameAddress(payee, account!) ? [] : [`What is owed is paid to ${payee}.`]),
      ].join("\n"),
    );
  });
}
