import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { IchainError } from "../../../errors/error.ts";
import type { Keyring } from "../../../ports/parcels.ts";
import { fromHex, toHex, xor } from "../../../protocol/bytes.ts";
import type { Invitation } from "../../../protocol/federated/market/events.ts";
import { type Address, type Hex, type JobId, sameAddress } from "../../../protocol/ids.ts";
import { type BundleLocator, decodeLocator, encodeLocator } from "../../../protocol/parcel/locator.ts";

/**
 * One message to many providers, because each byte on the chain costs gas. Its bytes: the requester's onion key (32),
 * a salt (16), for each provider in the event's order the message's key (32) xor what it and the requester agree on;
 * then, under that key (AES-256-GCM, nonce zero: the key is used once), the bundle's locator and all admissions.
 */

const KEY = 32;
const SALT = 16;
const TAG = 16;
const ADMISSION = 65;
/** Of the contract. */
const MAX_BYTES = 4096;
/** Providers that one invitation has room for. */
export const MAX_INVITED = 32;

/** A provider that is invited, and what it needs to enlist. */
interface Invitee {
  readonly account: Address;
  readonly onionKey: Hex;
  /** The requester's signature (`admissionTypes`). */
  readonly admission: Hex;
}

type Keys = Pick<Keyring, "agree" | "publicKeys">;

/** @throws KEY_UNUSABLE for a provider whose onion key is no key */
export async function sealInvitation(
  keyring: Keys,
  job: JobId,
  invitees: readonly Invitee[],
  locator: BundleLocator,
): Promise<Invitation> {
  const [key, salt] = [randomBytes(KEY), randomBytes(SALT)];
  const wrapped = await Promise.all(
    invitees.map(async ({ onionKey }) => xor(key, await padOf(keyring, onionKey, job, salt))),
  );
  const cipher = createCipheriv("aes-256-gcm", key, new Uint8Array(12)).setAAD(fromHex(job));
  const plain = [encodeLocator(locator), ...invitees.map(({ admission }) => fromHex(admission))];
  const body = [...plain.map((part) => cipher.update(part)), cipher.final(), cipher.getAuthTag()];
  const head = [fromHex(keyring.publicKeys.onionKey), salt, ...wrapped];
  return {
    providers: invitees.map(({ account }) => account),
    sealed: toHex(Buffer.concat([...head, ...body])),
  };
}

export interface OpenedInvitation {
  /** Its token is the host's own: each provider derives another from it (`Channel.token`). */
  readonly locator: BundleLocator;
  readonly admission: Hex;
  /** The requester's onion key. */
  readonly onionKey: Hex;
}

/**
 * What an invitation says to `account`; undefined when it is for others.
 * @throws SEAL_NOT_FOR_US, LOCATOR_MALFORMED, KEY_UNUSABLE
 */
export async function openInvitation(
  keyring: Keys,
  job: JobId,
  { providers, sealed }: Invitation,
  account: Address,
): Promise<OpenedInvitation | undefined> {
  const place = providers.findIndex((provider) => sameAddress(provider, account));
  if (place < 0) return undefined;
  const bytes = fromHex(sealed);
  const from = KEY + SALT + providers.length * KEY;
  if (bytes.length > MAX_BYTES || bytes.length < from + TAG) throw notForUs();
  const salt = bytes.subarray(KEY, KEY + SALT);
  const wrapped = bytes.subarray(KEY + SALT + place * KEY, KEY + SALT + (place + 1) * KEY);
  const key = xor(wrapped, await padOf(keyring, toHex(bytes.subarray(0, KEY)), job, salt));
  const plain = decrypted(key, job, bytes.subarray(from));
  const admissions = plain.length - providers.length * ADMISSION;
  if (admissions < 0) throw notForUs();
  const at = admissions + place * ADMISSION;
  return {
    locator: decodeLocator(plain.subarray(0, admissions), "bundle"),
    admission: toHex(plain.subarray(at, at + ADMISSION)),
    onionKey: toHex(bytes.subarray(0, KEY)),
  };
}

/** Known to this account and the owner of `onionKey` alone, and used for one invitation. */
async function padOf(keyring: Keys, onionKey: Hex, job: JobId, salt: Uint8Array): Promise<Uint8Array> {
  return fromHex(await keyring.agree(onionKey, `invitation/${job.toLowerCase()}/${toHex(salt)}`));
}

function decrypted(key: Uint8Array, job: JobId, body: Uint8Array): Uint8Array {
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, new Uint8Array(12), { authTagLength: TAG })
      .setAAD(fromHex(job))
      .setAuthTag(body.subarray(-TAG));
    return Buffer.concat([decipher.update(body.subarray(0, -TAG)), decipher.final()]);
  } catch (cause) {
    throw notForUs(cause);
  }
}

function notForUs(cause?: unknown): IchainError {
  return new IchainError("SEAL_NOT_FOR_US", "The invitation does not open with this account's keys.", {
    cause,
  });
}
