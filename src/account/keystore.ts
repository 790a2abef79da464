import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Wallet } from "ethers";
import type { Config } from "../config.ts";
import { IchainError } from "../errors/error.ts";
import type { Ui } from "../ui/ui.ts";
import { readPassword } from "./password.ts";

/** The keystore's JSON, or undefined when there is no wallet yet. */
export async function readKeystore(config: Config): Promise<string | undefined> {
  try {
    return await readFile(config.paths.keystore, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new IchainError(`The wallet ${config.paths.keystore} cannot be read.`, {
      code: "WALLET_UNREADABLE",
      class: "config",
      hint: "Check that it is a file and that you may read it.",
      cause: error,
    });
  }
}

/** The keystore's JSON; throws `NO_WALLET`, class `config`. */
export async function requireKeystore(config: Config): Promise<string> {
  const json = await readKeystore(config);
  if (json !== undefined) return json;
  throw new IchainError("There is no wallet yet.", {
    code: "NO_WALLET",
    class: "config",
    hint: 'Make one with "ichain wallet create", or bring yours with "ichain wallet import".',
  });
}

/** Throws `WALLET_EXISTS` before anything is asked: a keystore is never overwritten. */
export async function refuseSecondWallet(config: Config): Promise<void> {
  if ((await readKeystore(config)) !== undefined) throw walletExists(config);
}

/** Writes a new keystore, readable by its owner only; throws `WALLET_EXISTS` when there is one. */
export async function saveKeystore(config: Config, json: string): Promise<void> {
  const path = config.paths.keystore;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await writeFile(path, json, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw walletExists(config);
    throw new IchainError(`The wallet cannot be written to ${path}.`, {
      code: "WALLET_UNWRITABLE",
      class: "config",
      hint: "Check that you may write to the folder and that the disk is not full.",
      cause: error,
    });
  }
}

/** Opens the account's wallet with the password from where the configuration says. */
export async function unlockWallet(context: {
  config: Config;
  ui: Ui;
  signal: AbortSignal;
}): Promise<Wallet> {
  const { config, ui, signal } = context;
  const json = await requireKeystore(config);
  const password = await readPassword({ source: config.password, prompts: ui.prompts });
  const { openWallet } = await import("../chain/wallet.ts");
  return openWallet(json, password, { signal });
}

function walletExists(config: Config): IchainError {
  return new IchainError("There is a wallet already; it was left as it is.", {
    code: "WALLET_EXISTS",
    class: "usage",
    hint: `Use another ICHAIN_HOME for another account, or move ${config.paths.keystore} away first.`,
  });
}
