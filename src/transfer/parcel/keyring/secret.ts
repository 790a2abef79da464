import { generateKeyPairSync } from "node:crypto";
import type { PrivateKey, PublicKey } from "openpgp";
import { z } from "zod";
import { IchainError } from "../../../errors/error.ts";
import { fromHex, toHex } from "../../../protocol/bytes.ts";
import { type Address, sameAddress } from "../../../protocol/ids.ts";
import { walletNotation, walletsNamed } from "./binding.ts";
import { MAX_CERTIFICATE_BYTES } from "./certificate.ts";
import { modern, openpgp } from "./openpgp.ts";

const hex = (bytes: number) =>
  z.custom<`0x${string}`>((value) => isLowerHex(value) && value.length === 2 + 2 * bytes);
const hexUpTo = (bytes: number) =>
  z.custom<`0x${string}`>((value) => isLowerHex(value) && value.length <= 2 + 2 * bytes);

/** An account's private keys, serialisable. They must never be logged or sent. */
export const keyringSecretSchema = z.strictObject({
  version: z.literal(1),
  openpgp: z.strictObject({
    /** Binary OpenPGP v6 transferable secret key (Ed25519, X25519), without a passphrase of its own. */
    privateKey: hexUpTo(2 * MAX_CERTIFICATE_BYTES),
    publicKey: hexUpTo(MAX_CERTIFICATE_BYTES),
    fingerprint: hex(32),
  }),
  /** x25519 key pair for onion client authorisation, 32 bytes each. */
  onion: z.strictObject({ privateKey: hex(32), publicKey: hex(32) }),
});

export type KeyringSecret = z.infer<typeof keyringSecretSchema>;

/** Draws new keys of `account`. For privacy the certificate has no user ID and names only the wallet. */
export async function generateKeyring(account: Address): Promise<KeyringSecret> {
  const pgp = await openpgp();
  const made = await pgp.generateKey({
    type: "curve25519",
    userIDs: [],
    format: "object",
    // The start of yesterday: the exact time is of no use to others, and a reader's clock may be slow.
    date: new Date(Math.floor(Date.now() / DAY - 1) * DAY),
    signatureNotations: [walletNotation(account)],
    config: modern(pgp),
  });
  const onion = generateKeyPairSync("x25519");
  const [secret, open] = [
    onion.privateKey.export({ format: "jwk" }),
    onion.publicKey.export({ format: "jwk" }),
  ];
  return {
    version: 1,
    openpgp: openpgpPart(made),
    onion: {
      privateKey: toHex(Buffer.from(secret.d ?? "", "base64url")),
      publicKey: toHex(Buffer.from(open.x ?? "", "base64url")),
    },
  };
}

/**
 * The keyring with `account` named in its certificate: unchanged when it is, the same keys with a new self-signature
 * when an older version made it without a wallet.
 * @throws KEYRING_OF_ANOTHER
 */
export async function bindKeyring(secret: KeyringSecret, account: Address): Promise<KeyringSecret> {
  const pgp = await openpgp();
  const config = modern(pgp);
  const privateKey = await pgp.readPrivateKey({ binaryKey: fromHex(secret.openpgp.privateKey), config });
  const [named] = walletsNamed(privateKey);
  if (named !== undefined && sameAddress(named, account)) return secret;
  if (named !== undefined) throw ofAnother(named, account);
  const made = await pgp.reformatKey({
    privateKey,
    userIDs: [],
    format: "object",
    date: privateKey.getCreationTime(),
    signatureNotations: [walletNotation(account)],
    config,
  });
  return { ...secret, openpgp: openpgpPart(made) };
}

function openpgpPart({ privateKey, publicKey }: { privateKey: PrivateKey; publicKey: PublicKey }) {
  return {
    privateKey: toHex(privateKey.write()),
    publicKey: toHex(publicKey.write()),
    fingerprint: `0x${publicKey.getFingerprint()}` as const,
  };
}

function ofAnother(named: string, account: Address): IchainError {
  return new IchainError(
    "KEYRING_OF_ANOTHER",
    `The keyring belongs to the wallet ${named}, not to ${account}.`,
    { details: { named, account } },
  );
}

const DAY = 86_400_000;

function isLowerHex(value: unknown): value is string {
  return typeof value === "string" && /^0x(?:[0-9a-f]{2})*$/.test(value);
}
