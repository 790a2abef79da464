import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { IchainError, isIchainError } from "../../../errors/error.ts";
import { isNewer, tooNew } from "../../../errors/newer.ts";
import type { Address } from "../../../protocol/ids.ts";
import { bindKeyring, generateKeyring, type KeyringSecret, keyringSecretSchema } from "./secret.ts";

/**
 * The keyring on disk: JSON with the secret encrypted by AES-256-GCM, its key derived from a passphrase by scrypt (RFC
 * 7914; 32 MiB, about 0.1 s). Mode 0600; the file is replaced atomically.
 */

const base64 = (bytes: number) => z.base64().max(Math.ceil(bytes / 3) * 4);

const fileSchema = z.strictObject({
  version: z.literal(1),
  kdf: z.strictObject({
    name: z.literal("scrypt"),
    // A lower bound against a file replaced by a weak one, an upper bound against one that takes minutes.
    N: z.literal([1 << 15, 1 << 16, 1 << 17]),
    r: z.literal(8),
    p: z.literal(1),
    salt: base64(32),
  }),
  cipher: z.literal("aes-256-gcm"),
  nonce: base64(12),
  sealed: base64(16_384),
});

type KeyringFile = z.infer<typeof fileSchema>;

const KDF = { N: 1 << 15, r: 8, p: 1 } as const;
const TAG = 16;

/**
 * Loads the keyring of `account` at `path`. When there is none, calls `beforeFirst`, then draws and saves one; names the
 * account in one that an older version made without.
 * @throws KEYRING_DAMAGED, STATE_TOO_NEW, KEYRING_WRONG_PASSPHRASE, KEYRING_OF_ANOTHER; what `beforeFirst` throws
 */
export async function openKeyring(
  path: string,
  {
    passphrase,
    account,
    beforeFirst,
  }: { passphrase: string; account: Address; beforeFirst?: () => Promise<void> },
): Promise<KeyringSecret> {
  let found = await readSecret(path, passphrase);
  if (found === undefined) {
    await beforeFirst?.();
    found = await firstSecret(path, passphrase, await generateKeyring(account));
  }
  const bound = await bindKeyring(found, account);
  if (bound !== found) await saveKeyring(path, bound, { passphrase });
  return bound;
}

/**
 * Draws a keyring and saves it where there is none; an existing one is never replaced.
 * @throws KEYRING_EXISTS
 */
export async function makeKeyring(
  path: string,
  { passphrase, account }: { passphrase: string; account: Address },
): Promise<void> {
  try {
    await place(path, await generateKeyring(account), passphrase, link);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new IchainError("KEYRING_EXISTS", `There is a keyring at ${path} already; it was left as it is.`);
  }
}

/** @throws KEYRING_MISSING, KEYRING_DAMAGED, STATE_TOO_NEW, KEYRING_WRONG_PASSPHRASE */
export async function loadKeyring(path: string, options: { passphrase: string }): Promise<KeyringSecret> {
  const secret = await readSecret(path, options.passphrase);
  if (secret) return secret;
  throw new IchainError("KEYRING_MISSING", `There is no keyring at ${path}.`, {
    hint: "Bring the file back from a backup, or make new keys with `ichain init --new-keyring`.",
  });
}

/** Writes `secret` to `path` atomically, over any file there. */
export async function saveKeyring(
  path: string,
  secret: KeyringSecret,
  options: { passphrase: string },
): Promise<void> {
  await place(path, secret, options.passphrase, rename);
}

/** Saves `secret`, or loads the keyring that another process has saved in the meantime. */
async function firstSecret(path: string, passphrase: string, secret: KeyringSecret): Promise<KeyringSecret> {
  try {
    await place(path, secret, passphrase, link);
    return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return loadKeyring(path, { passphrase });
  }
}

async function place(
  path: string,
  secret: KeyringSecret,
  passphrase: string,
  move: (from: string, to: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString("hex")}.new`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(JSON.stringify(await encrypt(secret, passphrase), null, 2));
    await file.sync();
    await move(temporary, path);
  } finally {
    await file.close();
    await rm(temporary, { force: true });
  }
}

async function readSecret(path: string, passphrase: string): Promise<KeyringSecret | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw damaged(path, error);
  }
  let file: KeyringFile;
  try {
    const json: unknown = JSON.parse(text);
    if (isNewer(json, 1)) throw tooNew("keyring", path);
    file = fileSchema.parse(json);
  } catch (error) {
    throw isIchainError(error) ? error : damaged(path, error);
  }
  const plain = await decrypt(file, passphrase);
  try {
    return keyringSecretSchema.parse(JSON.parse(plain));
  } catch {
    throw damaged(path, undefined); // no cause: it could quote the secret
  }
}

async function encrypt(secret: KeyringSecret, passphrase: string): Promise<KeyringFile> {
  const [salt, nonce] = [randomBytes(32), randomBytes(12)];
  const cipher = createCipheriv("aes-256-gcm", await deriveKey(passphrase, salt, KDF), nonce);
  const sealed = [cipher.update(JSON.stringify(secret)), cipher.final(), cipher.getAuthTag()];
  return {
    version: 1,
    kdf: { name: "scrypt", ...KDF, salt: salt.toString("base64") },
    cipher: "aes-256-gcm",
    nonce: nonce.toString("base64"),
    sealed: Buffer.concat(sealed).toString("base64"),
  };
}

async function decrypt(file: KeyringFile, passphrase: string): Promise<string> {
  const key = await deriveKey(passphrase, Buffer.from(file.kdf.salt, "base64"), file.kdf);
  const sealed = Buffer.from(file.sealed, "base64");
  const cut = Math.max(0, sealed.length - TAG);
  try {
    const nonce = Buffer.from(file.nonce, "base64");
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG });
    decipher.setAuthTag(sealed.subarray(cut));
    return Buffer.concat([decipher.update(sealed.subarray(0, cut)), decipher.final()]).toString("utf8");
  } catch (cause) {
    throw new IchainError("KEYRING_WRONG_PASSPHRASE", "The passphrase does not open the keyring.", { cause });
  }
}

const scryptKey = promisify<
  string,
  Uint8Array,
  number,
  { N: number; r: number; p: number; maxmem: number },
  Buffer
>(scrypt);

function deriveKey(passphrase: string, salt: Uint8Array, { N, r, p }: { N: number; r: number; p: number }) {
  return scryptKey(passphrase.normalize("NFC"), salt, 32, { N, r, p, maxmem: 256 * N * r });
}

function damaged(path: string, cause: unknown): IchainError {
  return new IchainError("KEYRING_DAMAGED", `The keyring at ${path} cannot be read.`, { cause });
}
