import { generateKeyPairSync } from "node:crypto";
import { z } from "zod";
import { toHex } from "../../../protocol/bytes.ts";
import { MAX_CERTIFICATE_BYTES } from "./certificate.ts";
import { modern, openpgp } from "./openpgp.ts";

const hex = (bytes: number) =>
  z.custom<`0x${string}`>((value) => isLowerHex(value) && value.length === 2 + 2 * bytes);
const hexUpTo = (bytes: number) =>
  z.custom<`0x${string}`>((value) => isLowerHex(value) && value.length <= 2 + 2 * bytes);

/** An account's private keys, serialisable; never logged, never sent. */
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

/** Draws new keys. The OpenPGP key carries no name unless `userId` gives one: it costs bytes and privacy. */
export async function generateKeyring(userId?: string): Promise<KeyringSecret> {
  const pgp = await openpgp();
  const { privateKey, publicKey } = await pgp.generateKey({
    type: "curve25519",
    userIDs: userId === undefined ? [] : [{ name: userId }],
    format: "object",
    // Whole days only: the instant says nothing useful, and a reader's clock may be slow.
    date: new Date(Math.floor(Date.now() / DAY - 1) * DAY),
    config: modern(pgp),
  });
  const onion = generateKeyPairSync("x25519");
  const [secret, open] = [
    onion.privateKey.export({ format: "jwk" }),
    onion.publicKey.export({ format: "jwk" }),
  ];
  return {
    version: 1,
    openpgp: {
      privateKey: toHex(privateKey.write()),
      publicKey: toHex(publicKey.write()),
      fingerprint: `0x${publicKey.getFingerprint()}`,
    },
    onion: {
      privateKey: toHex(Buffer.from(secret.d ?? "", "base64url")),
      publicKey: toHex(Buffer.from(open.x ?? "", "base64url")),
    },
  };
}

const DAY = 86_400_000;

function isLowerHex(value: unknown): value is string {
  return typeof value === "string" && /^0x(?:[0-9a-f]{2})*$/.test(value);
}
