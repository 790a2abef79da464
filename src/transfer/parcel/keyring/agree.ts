import { createPrivateKey, createPublicKey, diffieHellman, hkdfSync } from "node:crypto";
import { IchainError } from "../../../errors/error.ts";
import { fromHex, toHex } from "../../../protocol/bytes.ts";
import type { Hex } from "../../../protocol/ids.ts";

/**
 * Key agreement: X25519 (RFC 7748) between our onion key and the other side's, then HKDF-SHA-256 (RFC 5869) with both
 * public keys in sorted order as salt and `purpose` in its info. Both sides get the same 32 bytes. Tor derives its keys
 * from the same X25519 key with another function, so that neither output reveals the other.
 * @throws KEY_UNUSABLE
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
    // OpenSSL refuses points of small order: with one the shared secret would be public.
    throw new IchainError("KEY_UNUSABLE", "The other side's onion key cannot be used.", { cause });
  }
}
