import { requireKeystore } from "../account/keystore.ts";
import { requireNetwork } from "../config.ts";
import { addBalance, DEVNET_CHAIN_ID } from "../devnet/evm/node.ts";
import { IchainError } from "../errors/error.ts";
import type { Address } from "../protocol/ids.ts";
import { coin } from "../ui/format.ts";
import type { CommandContext } from "./framework/declaration.ts";

/** Wei. */
const USUAL = 100n * 10n ** 18n;

/**
 * Gives an account coin on a devnet; asks for no password.
 * @throws DEVNET_ONLY on any other network
 */
export async function run(
  { config, ui }: CommandContext,
  args: { account?: Address },
  options: { amount?: bigint },
): Promise<void> {
  const { chainId, rpcUrl, name } = requireNetwork(config);
  if (chainId !== DEVNET_CHAIN_ID)
    throw new IchainError("DEVNET_ONLY", `The network ${name} is no devnet: its coin is worth something.`);
  const account = args.account ?? (await ownAddress(config));
  const balance = await addBalance(rpcUrl, account, options.amount ?? USUAL);
  ui.print({ account, balance }, () => `${account} holds ${coin(balance)} now.`);
}

async function ownAddress(config: CommandContext["config"]): Promise<Address> {
  const json = await requireKeystore(config);
  const { walletAddress } = await import("../chain/wallet.ts");
  return walletAddress(json);
}
