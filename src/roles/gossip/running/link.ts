import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import type { SigningKey } from "ethers";
import { IchainError } from "../../../errors/error.ts";
import { fromHex, toHex } from "../../../protocol/bytes.ts";
import type { PeerIdentity } from "../../../protocol/gossip/records/encoding.ts";
import { identityOf } from "../../../protocol/gossip/records/signatures.ts";
import type { Hex } from "../../../protocol/ids.ts";

const NONCE = 12;
const TAG = 16;
const TOKEN = 16;

/** One direction between two peers of a network. */
export interface Direction {
  /** Of the sender's feed. */
  readonly feed: Hex;
  /** The reader's token with the sender. */
  readonly token: Hex;
  /** AES-256-GCM under a random nonce. */
  seal(bytes: Uint8Array): Uint8Array;
  /** @throws GOSSIP_MESSAGE_INVALID */
  open(sealed: Uint8Array): Uint8Array;
}

/**
 * What two peers share without a message: keys that follow from what their accounts' keys agree on (ECDH on secp256k1,
 * HKDF-SHA-256), for each direction and each network others.
 */
export interface Link {
  readonly out: Direction;
  readonly in: Direction;
}

export function linkWith(
  key: SigningKey,
  { publicKey }: Pick<PeerIdentity, "publicKey">,
  genesis: Hex,
): Link {
  const secret = fromHex(key.computeSharedSecret(publicKey) as Hex);
  const own = identityOf(key).publicKey;
  return { out: directionOf(secret, own, genesis), in: directionOf(secret, publicKey, genesis) };
}

function directionOf(secret: Uint8Array, sender: Hex, genesis: Hex): Direction {
  const derive = (purpose: string, length: number) =>
    new Uint8Array(
      hkdfSync("sha256", secret, fromHex(genesis), `ichain/gossip/1/${purpose}/${sender}`, length),
    );
  const key = derive("messages", 32);
  return {
    feed: toHex(derive("feed", 32)),
    token: toHex(derive("token", TOKEN)),
    seal(bytes) {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed) {
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE), {
          authTagLength: TAG,
        }).setAuthTag(sealed.subarray(-TAG));
        return Buffer.concat([decipher.update(sealed.subarray(NONCE, -TAG)), decipher.final()]);
      } catch (cause) {
        throw new IchainError("GOSSIP_MESSAGE_INVALID", "A message is not sealed by the neighbour.", {
          cause,
        });
      }
    },
  };
}
