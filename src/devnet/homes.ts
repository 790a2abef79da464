import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { importKey } from "../chain/wallet.ts";
import type { WrittenConfig } from "../config/schema.ts";
import type { Address } from "../protocol/ids.ts";
import type { EvmAccount } from "./evm/node.ts";

/** Public, as the devnet's keys are: its coin is worth nothing. */
export const DEVNET_PASSWORD = "devnet-password";

/** A home folder with a funded wallet: the values of `ICHAIN_HOME` and `ICHAIN_PASSWORD_FILE`. */
export interface Home {
  readonly name: string;
  readonly dir: string;
  readonly passwordFile: string;
  readonly account: Address;
}

/** Makes the home of one actor of the devnet. */
export async function makeHome(
  root: string,
  name: string,
  { address, privateKey }: EvmAccount,
  settings: Partial<WrittenConfig>,
): Promise<Home> {
  const dir = join(root, name);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const { keystoreJson } = await importKey(privateKey, DEVNET_PASSWORD, { light: true });
  const passwordFile = join(dir, "password");
  await writeFile(join(dir, "keystore.json"), keystoreJson, { mode: 0o600 });
  await writeFile(passwordFile, DEVNET_PASSWORD, { mode: 0o600 });
  await writeFile(join(dir, "config.yaml"), stringify(settings), { mode: 0o600 });
  return { name, dir, passwordFile, account: address };
}

/** The environment in which `ichain` acts as the owner of `home`. */
export function asOwnerOf({ dir, passwordFile }: Home): {
  ICHAIN_HOME: string;
  ICHAIN_PASSWORD_FILE: string;
} {
  return { ICHAIN_HOME: dir, ICHAIN_PASSWORD_FILE: passwordFile };
}
