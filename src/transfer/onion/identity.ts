import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { IchainError } from "../../errors.ts";
import type { HostIdentity } from "../../ports/transport.ts";
import { toHex } from "../../protocol/bytes.ts";
import { onionAddress } from "./address.ts";

/** An ed25519 key as tor writes it: type, then base64 of the 64 bytes of the expanded private key. */
const SECRET = /^ED25519-V3:[A-Za-z0-9+/]{86}==$/;

/**
 * Draws the key of an onion and its bearer token. Made here and not by tor, so that the identity can be
 * journalled before anything is published.
 */
export function newOnionIdentity(): HostIdentity {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const seed = Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url");
  const key = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
  // RFC 8032, section 5.1.5: tor keeps the hashed and clamped scalar, not the seed.
  const expanded = createHash("sha512").update(seed).digest();
  expanded[0]! &= 248;
  expanded[31]! &= 63;
  expanded[31]! |= 64;
  return {
    endpoint: { transport: "onion", address: onionAddress(key), token: toHex(randomBytes(16)) },
    secret: `ED25519-V3:${expanded.toString("base64")}`,
  };
}

/** Throws `HOST_IDENTITY_BAD` unless `identity` is one that `newOnionIdentity` may have made. */
export function checkOnionIdentity(identity: HostIdentity): void {
  if (identity.endpoint.transport === "onion" && SECRET.test(identity.secret)) return;
  throw new IchainError("The stored identity is not one of an onion.", {
    code: "HOST_IDENTITY_BAD",
    class: "config",
    hint: "The journal was changed by hand or belongs to another transport; host under a new identity.",
  });
}
