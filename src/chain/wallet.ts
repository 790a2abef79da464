import { decryptKeystoreJson, encryptKeystoreJson, Wallet } from "ethers";
import { z } from "zod";
import type { AbortOptions } from "../async/abort.ts";
import { IchainError } from "../errors/error.ts";
import type { Address, Hex } from "../protocol/ids.ts";

/** Ethereum's keystore V3, which other wallets read and write too. */

export interface WalletOptions extends AbortOptions {
  /** Called with 0 to 1 while the key derivation runs. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

export interface CreateOptions extends WalletOptions {
  /** A cheap key derivation: for the devnet, whose keys are public. */
  readonly light?: boolean | undefined;
}

export interface StoredWallet {
  readonly address: Address;
  readonly keystoreJson: string;
}

const MAX_KEYSTORE_CHARS = 64 * 1024;
const LIGHT_SCRYPT_N = 1 << 10;

/** Bounds on the key derivation of a foreign file: scrypt takes 128 · n · r bytes. */
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

/**
 * An existing 32-byte private key, encrypted.
 * @throws WALLET_KEY_INVALID
 */
export async function importKey(
  privateKey: string,
  password: string,
  options: CreateOptions = {},
): Promise<StoredWallet> {
  const key = privateKey.trim();
  return encrypt(key.startsWith("0x") ? key : `0x${key}`, password, options);
}

/** @throws WALLET_MALFORMED, WALLET_WRONG_PASSWORD */
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
    throw new IchainError("WALLET_WRONG_PASSWORD", "The password does not open this wallet.");
  }
}

/**
 * The account of a keystore file; needs no password.
 * @throws WALLET_MALFORMED
 */
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
    throw new IchainError("WALLET_KEY_INVALID", "That is not a private key.");
  }
  const scrypt = options.light === true ? { scrypt: { N: LIGHT_SCRYPT_N } } : {};
  const keystoreJson = await encryptKeystoreJson({ address, privateKey }, password, {
    ...scrypt,
    progressCallback: progress(options),
  });
  return { address: address as Address, keystoreJson };
}

/** ethers takes no signal, but an exception in its progress callback ends the derivation. */
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
  return new IchainError("WALLET_MALFORMED", "The wallet file is not a readable keystore.", { cause });
}
