import { readFile } from "node:fs/promises";
import { refuseSecondWallet, saveKeystore } from "../../account/keystore.ts";
import { readPassword } from "../../account/password.ts";
import { IchainError } from "../../errors/error.ts";
import type { CommandContext } from "../framework/declaration.ts";

/**
 * Takes a V3 keystore as it is once its password has opened it, or encrypts a private key. The key comes
 * from a file or a prompt: other users of the machine can see a command line.
 */
export async function run(context: CommandContext, { file }: { file?: string }): Promise<void> {
  const { config, ui, signal } = context;
  await refuseSecondWallet(config);
  const text = (file === undefined ? await ui.prompts.password("Private key:") : await read(file)).trim();
  const isKeystore = text.startsWith("{");
  const password = await readPassword({ source: config.password, prompts: ui.prompts, fresh: !isKeystore });
  const { importKey, openWallet } = await import("../../chain/wallet.ts");
  let address: string;
  if (isKeystore) {
    address = (await openWallet(text, password, { signal })).address;
    await saveKeystore(config, text);
  } else {
    const stored = await importKey(text, password, { signal });
    address = stored.address;
    await saveKeystore(config, stored.keystoreJson);
  }
  ui.print({ address, keystore: config.paths.keystore }, () => address);
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new IchainError(`${path} cannot be read.`, {
      code: "FILE_UNREADABLE",
      class: "usage",
      hint: "Name a keystore file, or a file that holds a private key.",
      cause,
    });
  }
}
