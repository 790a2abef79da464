import { createPrivateKey, createPublicKey, diffieHellman, hkdfSync } from "node:crypto";
import { IchainError } from "../../../errors/error.ts";
import { fromHex, toHex } from "../../../protocol/bytes.ts";
import type { Hex } from "../../../protocol/ids.ts";

/**
 * X25519 (RFC 7748) between our onion key and another's, then HKDF-SHA-256 with both public keys in
 * their order as salt and `purpose` as info: the same 32 bytes on both sides. Tor derives what it needs
 * from the same key by a function of its own, so that one says nothing about the other.
 */
export function agree(
  own: { readonly privateKey: Hex; readonly publicKey: Hex },
  other: Hex,
  purpose: string,
): Hex {
  const jwk = { kty: "OKP", crv: "X25519" };
  const text = (hex: Hex) => Buffer.from(fromHex(hex)).toString("base64url");
  const salt = [own.publicKey, other].map((key) => key.toLowerCase() as Hex).sort();
  try {
    const shared = diffieHellman({
      privateKey: createPrivateKey({
        key: { ...jwk, d: text(own.privateKey), x: text(own.publicKey) },
        format: "jwk",
      }),
      publicKey: createPublicKey({ key: { ...jwk, x: text(other) }, format: "jwk" }),
    });
    const info = `ichain/agree/1/${purpose}`;
    return toHex(Buffer.from(hkdfSync("sha256", shared, Buffer.concat(salt.map(fromHex)), info, 32)));
  } catch (cause) {
    // OpenSSL refuses points of small order, with which everybody would know the outcome.
    throw new IchainError("The other side's onion key cannot be used.", {
      code: "KEY_UNUSABLE",
      class: "untrusted",
      hint: "Its owner must publish a key made by `ichain init`.",
      cause,
    });
  }
}
