import { readKeystore } from "../../account/keystore.ts";
import { openReader } from "../../compose.ts";
import type { MarketReader } from "../../ports/market.ts";
import type { Address } from "../../protocol/ids.ts";
import type { CommandContext } from "../framework/declaration.ts";

export interface MarketView {
  readonly market: MarketReader;
  /** The account whose wallet lies here; reading asks for no password. */
  readonly account: Address | undefined;
}

/** Opens the market for reading, and closes it when `use` is done. */
export async function withReader<T>(
  context: CommandContext,
  use: (view: MarketView) => Promise<T>,
): Promise<T> {
  if (context.market) return await use({ market: context.market, account: await ownAddress(context) });
  const market = await openReader(context);
  try {
    return await use({ market, account: await ownAddress(context) });
  } finally {
    await market.stop();
  }
}

async function ownAddress({ config }: CommandContext): Promise<Address | undefined> {
  const json = await readKeystore(config);
  if (json === undefined) return undefined;
  const { walletAddress } = await import("../../chain/wallet.ts");
  return walletAddress(json);
}
