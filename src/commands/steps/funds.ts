import type { AbortOptions } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import type { MarketReader } from "../../ports/market.ts";
import type { Address } from "../../protocol/ids.ts";
import { coin } from "../../ui/format.ts";

/** Throws `FUNDS_TOO_LOW` before anything is packed or posted when the account cannot pay `total` wei. */
export async function refuseUnaffordable(
  market: MarketReader,
  account: Address,
  total: bigint,
  options: AbortOptions,
): Promise<void> {
  const balance = await market.balance(account, options);
  if (balance > total) return;
  throw new IchainError(
    `The account holds ${coin(balance)}; the job locks ${coin(total)} and gas comes on top.`,
    {
      code: "FUNDS_TOO_LOW",
      class: "funds",
      hint: `Send coin to ${account}, or lower price and validatorFee in job.yaml.`,
      details: { account, balance, needed: total },
    },
  );
}
