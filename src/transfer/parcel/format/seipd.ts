import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { parcelFault } from "../errors.ts";

/**
 * OpenPGP messages under a session key: Symmetrically Encrypted Integrity Protected Data packets of version 2 with
 * AES-256-GCM (RFC 9580, 5.13.2), built with Node's own cipher, which is many times faster than a stream through a
 * library. Any OpenPGP implementation decrypts them with the session key.
 */

const PACKET = 0xd2; // tag 18, new format
const HEADER = Uint8Array.of(PACKET, 2, 9, 3, 16); // version 2, AES-256, GCM, 2^(16+6)-byte AEAD chunks
const AEAD_CHUNK = 1 << 22;
const SALT = 32;
const TAG = 16;
const FRAME = 1 + 5; // packet tag, five-octet length

/** Bytes that encryption adds to a body of `length` bytes. */
export function sealedOverhead(length: number): number {
  return FRAME + 4 + SALT + TAG * (Math.ceil(length / AEAD_CHUNK) + 1);
}

/** Encrypts the concatenation of `parts` (OpenPGP packets) as one message under the 32-byte session key. */
export function sealMessage(sessionKey: Uint8Array, parts: readonly Uint8Array[]): Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const salt = randomBytes(SALT);
  const derived = deriveKey(sessionKey, salt);
  const out: Uint8Array[] = [
    packetHeader(PACKET, sealedOverhead(length) - FRAME + length),
    HEADER.subarray(1),
    salt,
  ];
  let index = 0;
  for (const pieces of regroup(parts, AEAD_CHUNK)) {
    const cipher = createCipheriv("aes-256-gcm", derived.key, nonceOf(derived.iv, index++)).setAAD(HEADER);
    for (const piece of pieces) out.push(cipher.update(piece));
    cipher.final();
    out.push(cipher.getAuthTag());
  }
  const last = createCipheriv("aes-256-gcm", derived.key, nonceOf(derived.iv, index)).setAAD(
    lastData(length),
  );
  last.final();
  out.push(last.getAuthTag());
  return out;
}

/**
 * Decrypts one whole message. Packets of version 1 are refused.
 * @throws PARCEL_MALFORMED, PARCEL_CORRUPT
 */
export function openMessage(sessionKey: Uint8Array, message: Uint8Array): Uint8Array {
  if (readFrame(message) !== message.length)
    throw parcelFault("PARCEL_MALFORMED", "A message of the parcel has a wrong length.");
  const body = message.subarray(FRAME);
  if (!HEADER.subarray(1).every((byte, i) => body[i] === byte)) {
    throw parcelFault("PARCEL_MALFORMED", "A message of the parcel is not OpenPGP SEIPDv2 with AES-256-GCM.");
  }
  const data = body.subarray(4 + SALT, body.length - TAG);
  const derived = deriveKey(sessionKey, body.subarray(4, 4 + SALT));
  const chunks = Math.ceil(data.length / (AEAD_CHUNK + TAG));
  const out: Buffer[] = [];
  try {
    for (let i = 0; i < chunks; i++) {
      const chunk = data.subarray(i * (AEAD_CHUNK + TAG), (i + 1) * (AEAD_CHUNK + TAG));
      const decipher = createDecipheriv("aes-256-gcm", derived.key, nonceOf(derived.iv, i), {
        authTagLength: TAG,
      });
      decipher.setAAD(HEADER).setAuthTag(chunk.subarray(chunk.length - TAG));
      out.push(decipher.update(chunk.subarray(0, chunk.length - TAG)));
      decipher.final();
    }
    const last = createDecipheriv("aes-256-gcm", derived.key, nonceOf(derived.iv, chunks), {
      authTagLength: TAG,
    });
    last
      .setAAD(lastData(data.length - chunks * TAG))
      .setAuthTag(body.subarray(body.length - TAG))
      .final();
  } catch (cause) {
    throw parcelFault(
      "PARCEL_CORRUPT",
      "The key does not open the parcel, or its bytes were altered.",
      cause,
    );
  }
  return out.length === 1 ? out[0]! : Buffer.concat(out);
}

/** Bytes of the shortest message that is not empty; `readFrame` needs as many. */
export const MIN_MESSAGE = FRAME + 4 + SALT + TAG + TAG + 1;

/**
 * Declared length of the whole message that starts with these bytes.
 * @throws PARCEL_MALFORMED
 */
export function readFrame(start: Uint8Array): number {
  if (start.length < MIN_MESSAGE || start[0] !== PACKET || start[1] !== 0xff) {
    throw parcelFault("PARCEL_MALFORMED", "The parcel's data does not consist of OpenPGP messages.");
  }
  const length = FRAME + new DataView(start.buffer, start.byteOffset).getUint32(2);
  if (length < MIN_MESSAGE) throw parcelFault("PARCEL_MALFORMED", "A message of the parcel is too short.");
  return length;
}

/** Tag and five-octet length (RFC 9580, 4.2.1.3): the only form in a parcel. */
export function packetHeader(tag: number, length: number): Uint8Array {
  const header = Buffer.alloc(FRAME);
  header[0] = tag;
  header[1] = 0xff;
  header.writeUInt32BE(length, 2);
  return header;
}

function deriveKey(sessionKey: Uint8Array, salt: Uint8Array): { key: Uint8Array; iv: Uint8Array } {
  const bytes = new Uint8Array(hkdfSync("sha256", sessionKey, salt, HEADER, 32 + 4));
  return { key: bytes.subarray(0, 32), iv: bytes.subarray(32) };
}

function nonceOf(iv: Uint8Array, index: number): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.set(iv);
  nonce.writeUInt32BE(index, 8); // the upper half stays zero: no message has 2^32 AEAD chunks
  return nonce;
}

function lastData(length: number): Uint8Array {
  const data = Buffer.alloc(HEADER.length + 8);
  data.set(HEADER);
  data.writeBigUInt64BE(BigInt(length), HEADER.length);
  return data;
}

function* regroup(parts: readonly Uint8Array[], size: number): Generator<Uint8Array[]> {
  let group: Uint8Array[] = [];
  let room = size;
  for (const part of parts) {
    for (let rest = part; rest.length > 0; ) {
      const piece = rest.subarray(0, room);
      group.push(piece);
      room -= piece.length;
      rest = rest.subarray(piece.length);
      if (room === 0) {
        yield group;
        [group, room] = [[], size];
      }
    }
  }
  if (group.length > 0) yield group;
}
