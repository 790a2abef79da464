import { createHash, createPrivateKey, createPublicKey, hkdfSync, randomBytes } from "node:crypto";
import { IchainError } from "../../errors/error.ts";
import type { HostIdentity } from "../../ports/transport.ts";
import { fromHex, toHex } from "../../protocol/bytes.ts";
import type { Hex } from "../../protocol/ids.ts";
import { onionAddress } from "./address.ts";

/** An ed25519 key in the form of `ADD_ONION` (control-spec, section 3.27): base64 of the 64-byte expanded key. */
const SECRET = /^ED25519-V3:[A-Za-z0-9+/]{86}==$/;

const SEED_BYTES = 32;
const TOKEN_BYTES = 16;
/** The bytes before the seed of an ed25519 key in PKCS #8 (RFC 8410, section 7). */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
/** The same for an x25519 key. */
const PKCS8_X25519 = Buffer.from("302e020100300506032b656e04220420", "hex");

/**
 * Draws the ed25519 key of an onion and its 16-byte bearer token. Drawn here and not by tor, so that the identity can
 * be journalled before anything is published.
 */
export function newOnionIdentity(): HostIdentity {
  return identityOf(randomBytes(SEED_BYTES + TOKEN_BYTES));
}

/** The identity that every party with the 32-byte `seed` derives (HKDF-SHA-256, RFC 5869). */
export function meetingOnion(seed: Hex): HostIdentity {
  const bytes = SEED_BYTES + TOKEN_BYTES;
  return identityOf(Buffer.from(hkdfSync("sha256", fromHex(seed), "", "ichain/onion/meeting", bytes)));
}

/** The x25519 public key of a client's 32-byte secret. */
export function clientPublicKey(secret: Hex): Hex {
  const der = Buffer.concat([PKCS8_X25519, fromHex(secret)]);
  const key = createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
  return toHex(Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url"));
}

/** `drawn`: the 32-byte seed of an ed25519 key, then the token. */
function identityOf(drawn: Buffer): HostIdentity {
  const seed = drawn.subarray(0, SEED_BYTES);
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
  const key = Buffer.from(createPublicKey(privateKey).export({ format: "jwk" }).x ?? "", "base64url");
  // RFC 8032, section 5.1.5: tor stores the hashed and clamped scalar, not the seed.
  const expanded = createHash("sha512").update(seed).digest();
  expanded[0]! &= 248;
  expanded[31]! &= 63;
  expanded[31]! |= 64;
  return {
    endpoint: { transport: "onion", address: onionAddress(key), token: toHex(drawn.subarray(SEED_BYTES)) },
    secret: `ED25519-V3:${expanded.toString("base64")}`,
  };
}

/**
 * Checks the form of a stored identity before it becomes part of a control command.
 * @throws HOST_IDENTITY_BAD
 */
export function checkOnionIdentity(identity: HostIdentity): void {
  if (identity.endpoint.transport === "onion" && SECRET.test(identity.secret)) return;
  throw new IchainError("HOST_IDENTITY_BAD", "The stored identity is not one of an onion.");
}
