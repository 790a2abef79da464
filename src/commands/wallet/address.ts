import { requireKeystore } from "../../account/keystore.ts";
import type { CommandContext } from "../framework/declaration.ts";

/** Prints the account's address; asks for no password. */
export async function run({ config, ui }: CommandContext): Promise<void> {
  const json = await requireKeystore(config);
  const [{ getAddress }, { walletAddress }] = await Promise.all([
    import("ethers"),
    import("../../chain/wallet.ts"),
  ]);
  const address = getAddress(walletAddress(json));
  ui.print({ address }, () => address);
}
