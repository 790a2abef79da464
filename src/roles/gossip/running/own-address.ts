import { hkdfSync } from "node:crypto";
import type { SigningKey } from "ethers";
import type { HostIdentity, Transport } from "../../../ports/transport.ts";
import { fromHex, toHex } from "../../../protocol/bytes.ts";
import type { PeerAddress } from "../../../protocol/gossip/address.ts";
import { identityOf } from "../../../protocol/gossip/records/signatures.ts";
import type { Hex } from "../../../protocol/ids.ts";

/** 32 bytes that only the owner of the key can derive, for one purpose. */
export function gossipSecret(key: SigningKey, purpose: string): Hex {
  const secret = hkdfSync("sha256", fromHex(key.privateKey as Hex), "", `ichain/gossip/own/${purpose}`, 32);
  return toHex(new Uint8Array(secret));
}

/** Where this peer is reached in a network: always the same, so that others can name it before it runs. */
export async function ownAddress(
  key: SigningKey,
  genesis: Hex,
  transport: Pick<Transport, "name" | "meetingPoint">,
): Promise<{
  readonly address: PeerAddress;
  readonly identity: HostIdentity;
  readonly guestKey: Hex | undefined;
}> {
  const identity = await transport.meetingPoint(gossipSecret(key, `address/${genesis}`));
  const guestKey = transport.name === "onion" ? gossipSecret(key, `guests/${genesis}`) : undefined;
  const endpoint = { ...identity.endpoint, ...(guestKey !== undefined && { guestKey }) };
  return { address: { ...identityOf(key), endpoint }, identity, guestKey };
}
