import { refuseSecondWallet, saveKeystore } from "../../account/keystore.ts";
import { readPassword } from "../../account/password.ts";
import type { CommandContext } from "../framework/declaration.ts";

/** Makes a wallet; asks for its password unless file or environment give it. */
export async function run(context: CommandContext): Promise<void> {
  const { config, ui } = context;
  const address = await makeWallet(context);
  ui.print({ address, keystore: config.paths.keystore }, () => address);
}

/** A new key, encrypted and saved; its address. */
export async function makeWallet({ config, ui, signal }: CommandContext): Promise<string> {
  await refuseSecondWallet(config);
  const password = await readPassword({ source: config.password, prompts: ui.prompts, fresh: true });
  const { createWallet } = await import("../../chain/wallet.ts");
  ui.reporter.emit({ kind: "start", id: "wallet", text: "Making a key and encrypting it" });
  const { address, keystoreJson } = await createWallet(password, { signal });
  await saveKeystore(config, keystoreJson);
  ui.reporter.emit({ kind: "end", id: "wallet", text: `Wallet saved to ${config.paths.keystore}` });
  ui.reporter.emit({
    kind: "info",
    text: "Keep a copy of that file and its password: they cannot be restored.",
  });
  return address;
}
