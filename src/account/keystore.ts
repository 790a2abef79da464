import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Config } from "../config.ts";
import { IchainError } from "../errors/error.ts";

/**
 * The keystore's JSON, or undefined when there is no wallet yet.
 * @throws WALLET_UNREADABLE
 */
export async function readKeystore(config: Config): Promise<string | undefined> {
  try {
    return await readFile(config.paths.keystore, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new IchainError("WALLET_UNREADABLE", `The wallet ${config.paths.keystore} cannot be read.`, {
      cause: error,
    });
  }
}

/** @throws NO_WALLET */
export async function requireKeystore(config: Config): Promise<string> {
  const json = await readKeystore(config);
  if (json !== undefined) return json;
  throw new IchainError("NO_WALLET", "There is no wallet yet.");
}

/**
 * Keeps a keystore from being overwritten; called before the person is asked for anything.
 * @throws WALLET_EXISTS
 */
export async function refuseSecondWallet(config: Config): Promise<void> {
  if ((await readKeystore(config)) !== undefined) throw walletExists(config);
}

/**
 * Writes a new keystore, readable by its owner only.
 * @throws WALLET_EXISTS, WALLET_UNWRITABLE
 */
export async function saveKeystore(config: Config, json: string): Promise<void> {
  const path = config.paths.keystore;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await writeFile(path, json, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw walletExists(config);
    throw new IchainError("WALLET_UNWRITABLE", `The wallet cannot be written to ${path}.`, { cause: error });
  }
}

function walletExists(config: Config): IchainError {
  return new IchainError("WALLET_EXISTS", "There is a wallet already; it was left as it is.", {
    hint: `Use another ICHAIN_HOME for another account, or move ${config.paths.keystore} away first.`,
  });
}
