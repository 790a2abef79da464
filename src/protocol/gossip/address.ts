import { computeAddress } from "ethers";
import { z } from "zod";
import type { Address, Hex } from "../ids.ts";
import type { Endpoint } from "../parcel/locator.ts";
import type { PeerIdentity } from "./records/encoding.ts";

/** Who a peer is and where it is reached: what its owner gives to others. Not secret among peers, and for peers only. */
export interface PeerAddress extends PeerIdentity {
  readonly endpoint: Endpoint;
}

const FORM =
  /^(0[23][0-9a-f]{64})@(?:(onion):([a-z2-7]{56})|(direct):([0-9A-Za-z.\-[\]:]{3,128}))\/([0-9a-f]{32})(?:\/([0-9a-f]{64}))?$/;

/** `public key@transport:address/token`, of an onion with `/guest key`; hexadecimal without 0x. */
export function formatPeerAddress({ publicKey, endpoint }: PeerAddress): string {
  const { transport, address, token, guestKey } = endpoint;
  const guest = guestKey === undefined ? "" : `/${guestKey.slice(2)}`;
  return `${publicKey.slice(2)}@${transport}:${address}/${token.slice(2)}${guest}`;
}

/** Undefined where the text is no peer's address. */
export function parsePeerAddress(text: string): PeerAddress | undefined {
  const [, key, onion, onionHost, , directHost, token, guest] = FORM.exec(text) ?? [];
  if (key === undefined || token === undefined || (onion === undefined) !== (guest === undefined)) return;
  const publicKey: Hex = `0x${key}`;
  const account = accountOf(publicKey);
  if (account === undefined) return;
  const endpoint: Endpoint =
    guest === undefined
      ? { transport: "direct", address: directHost!, token: `0x${token}` }
      : { transport: "onion", address: onionHost!, token: `0x${token}`, guestKey: `0x${guest}` };
  return { account, publicKey, endpoint };
}

/** Undefined for a key that is no point of the curve. */
function accountOf(publicKey: Hex): Address | undefined {
  try {
    return computeAddress(publicKey).toLowerCase() as Address;
  } catch {
    return;
  }
}

export const peerAddressSchema = z
  .string()
  .max(512)
  .transform((text, context) => {
    const address = parsePeerAddress(text);
    if (address !== undefined) return address;
    context.addIssue({
      code: "custom",
      message: "is no address of a peer, as `ichain gossip address` prints",
    });
    return z.NEVER;
  });
