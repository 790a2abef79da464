import type { AbortOptions } from "../../../async/abort.ts";
import { IchainError } from "../../../errors/error.ts";
import type { MarketReader } from "../../../ports/market.ts";
import { COIN, type TokenInfo } from "../../../protocol/amounts.ts";
import type { Address } from "../../../protocol/ids.ts";
import { coin, money } from "../../../ui/format.ts";

/** Throws `FUNDS_TOO_LOW` before anything is packed or posted when the account cannot pay `total`, or no gas. */
export async function refuseUnaffordable(
  market: MarketReader,
  account: Address,
  { total, token }: { total: bigint; token: TokenInfo },
  options: AbortOptions,
): Promise<void> {
  const coins = await market.balance(account, options);
  const inCoin = token === COIN;
  const balance = inCoin ? coins : (await market.tokenFunds(account, token.address, options)).balance;
  if (inCoin ? balance > total : balance >= total && coins > 0n) return;
  const held = balance < total || inCoin ? money(balance, token) : coin(coins);
  throw new IchainError(
    "FUNDS_TOO_LOW",
    `The account holds ${held}; the job locks ${money(total, token)} and gas comes on top.`,
    {
      hint: `Send ${balance < total ? token.symbol : COIN.symbol} to ${account}, or lower price and validatorFee in job.yaml.`,
      details: { account, token: token.address, balance, needed: total },
    },
  );
}
