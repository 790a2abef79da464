import { decryptKeystoreJson, encryptKeystoreJson, Wallet } from "ethers";
import { z } from "zod";
import type { AbortOptions } from "../async/abort.ts";
import { IchainError } from "../errors/error.ts";
import type { Address, Hex } from "../protocol/ids.ts";

/** Ethereum's keystore V3: any other wallet reads these files, and we read theirs. */

export interface WalletOptions extends AbortOptions {
  /** Called with 0 to 1 while the password is stretched. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

export interface CreateOptions extends WalletOptions {
  /** Stretch the password hardly at all: for devnet, whose keys are public anyway. */
  readonly light?: boolean | undefined;
}

export interface StoredWallet {
  readonly address: Address;
  readonly keystoreJson: string;
}

const MAX_KEYSTORE_CHARS = 64 * 1024;
const LIGHT_SCRYPT_N = 1 << 10;

/** A file from elsewhere must not make us compute for hours or fill the memory (128 · n · r bytes). */
const keystoreSchema = z.object({
  version: z.literal(3),
  crypto: z.object({
    kdf: z.string(),
    kdfparams: z.object({
      n: z
        .number()
        .int()
        .max(1 << 20)
        .optional(),
      r: z.number().int().max(16).optional(),
      p: z.number().int().max(16).optional(),
      c: z.number().int().max(10_000_000).optional(),
    }),
  }),
});

/** A new random key, encrypted. */
export function createWallet(password: string, options: CreateOptions = {}): Promise<StoredWallet> {
  return encrypt(Wallet.createRandom().privateKey, password, options);
}

/** An existing 32-byte private key, encrypted. Throws `WALLET_KEY_INVALID`. */
export async function importKey(
  privateKey: string,
  password: string,
  options: CreateOptions = {},
): Promise<StoredWallet> {
  const key = privateKey.trim();
  return encrypt(key.startsWith("0x") ? key : `0x${key}`, password, options);
}

/** Throws `WALLET_MALFORMED` or `WALLET_WRONG_PASSWORD`, class `config`. */
export async function openWallet(
  json: string,
  password: string,
  options: WalletOptions = {},
): Promise<Wallet> {
  assertKeystore(json);
  try {
    const account = await decryptKeystoreJson(json, password, progress(options));
    return new Wallet(account.privateKey);
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (!(cause instanceof Error && cause.message.includes("incorrect password"))) throw malformed(cause);
    throw new IchainError("The password does not open this wallet.", {
      code: "WALLET_WRONG_PASSWORD",
      class: "config",
      hint: "Try again; nobody can recover a lost password, only the key or another copy of it helps then.",
    });
  }
}

/** The account of a keystore file, without its password. Throws `WALLET_MALFORMED`. */
export function walletAddress(json: string): Address {
  assertKeystore(json);
  const { address } = z
    .object({ address: z.string().regex(/^(0x)?[0-9a-fA-F]{40}$/) })
    .parse(JSON.parse(json));
  return `0x${address.replace(/^0x/, "").toLowerCase()}` as Hex;
}

async function encrypt(privateKey: string, password: string, options: CreateOptions): Promise<StoredWallet> {
  let address: string;
  try {
    address = new Wallet(privateKey).address;
  } catch {
    // No cause: ethers' message may quote the key.
    throw new IchainError("That is not a private key.", {
      code: "WALLET_KEY_INVALID",
      class: "usage",
      hint: "Give 32 bytes in hexadecimal, 64 digits, with or without 0x.",
    });
  }
  const scrypt = options.light === true ? { scrypt: { N: LIGHT_SCRYPT_N } } : {};
  const keystoreJson = await encryptKeystoreJson({ address, privateKey }, password, {
    ...scrypt,
    progressCallback: progress(options),
  });
  return { address: address as Address, keystoreJson };
}

/** ethers has no abort of its own, but lets its progress callback throw. */
function progress({ signal, onProgress }: WalletOptions): (share: number) => void {
  return (share) => {
    signal?.throwIfAborted();
    onProgress?.(share);
  };
}

function assertKeystore(json: string): void {
  try {
    if (json.length > MAX_KEYSTORE_CHARS) throw new RangeError("too long");
    const raw = z.record(z.string(), z.unknown()).parse(JSON.parse(json));
    keystoreSchema.parse(
      Object.fromEntries(Object.entries(raw).map(([key, value]) => [key.toLowerCase(), value])),
    );
  } catch (cause) {
    throw malformed(cause);
  }
}

function malformed(cause: unknown): IchainError {
  return new IchainError("The wallet file is not a readable keystore.", {
    code: "WALLET_MALFORMED",
    class: "config",
    hint: "Point at a keystore V3 JSON file, or make one with `ichain wallet create` or `ichain wallet import`.",
    cause,
  });
}
