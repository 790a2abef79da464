import { createDecipheriv, createHash, type Decipheriv, timingSafeEqual } from "node:crypto";
import { parcelFault } from "../errors.ts";
import { PartialReader } from "./partial.ts";
import { LITERAL, LITERAL_HEADER, MDC, NO_IV, PREFIX, SEIPD } from "./seal.ts";

const TAIL = MDC.length + 20;

/**
 * Decrypts what a `CompatSealer` writes, one SEIPD packet of version 1 (RFC 9580, 5.13.1), and returns the frames in it
 * in pieces of any length.
 */
export class CompatOpener {
  readonly #cipher: Decipheriv;
  readonly #hash = createHash("sha1");
  readonly #outer = new PartialReader(SEIPD);
  readonly #inner = new PartialReader(LITERAL);
  /** Bytes before the frames: the version, then the prefix, then the literal's header. */
  #version = new FirstBytes(1);
  #prefix = new FirstBytes(PREFIX);
  #literal = new FirstBytes(LITERAL_HEADER.length);
  /** The last bytes so far: they may be the modification detection code. */
  #tail = Buffer.alloc(0);

  constructor(sessionKey: Uint8Array) {
    this.#cipher = createDecipheriv("aes-256-cfb", sessionKey, NO_IV);
  }

  /** @throws PARCEL_MALFORMED, PARCEL_CORRUPT */
  push(bytes: Uint8Array): Uint8Array[] {
    const { content, rest } = this.#outer.push(bytes);
    if (rest.length > 0) throw malformed();
    return content.flatMap((piece) => this.#decrypt(this.#version.take(piece)));
  }

  /** @throws PARCEL_MALFORMED unless the message is complete; PARCEL_CORRUPT unless its code is right */
  end(): void {
    if (!this.#outer.ended || !this.#inner.ended || this.#version.bytes[0] !== 1) throw malformed();
    if (Buffer.compare(this.#literal.bytes, LITERAL_HEADER) !== 0) throw malformed();
    const digest = this.#hash.update(this.#tail.subarray(0, MDC.length)).digest();
    const intact =
      Buffer.compare(this.#tail.subarray(0, MDC.length), MDC) === 0 &&
      timingSafeEqual(this.#tail.subarray(MDC.length), digest);
    if (!intact) throw parcelFault("PARCEL_CORRUPT", "The parcel's bytes were altered.");
  }

  #decrypt(sealed: Uint8Array): Uint8Array[] {
    const plain = Buffer.concat([this.#tail, this.#cipher.update(sealed)]);
    const cut = Math.max(0, plain.length - TAIL);
    this.#tail = Buffer.from(plain.subarray(cut));
    const body = plain.subarray(0, cut);
    this.#hash.update(body);
    const packet = this.#prefix.take(body);
    if (this.#prefix.full && this.#prefix.bytes.readUInt16BE(14) !== this.#prefix.bytes.readUInt16BE(16)) {
      throw parcelFault("PARCEL_CORRUPT", "The key does not open the parcel, or its bytes were altered.");
    }
    const { content, rest } = this.#inner.push(packet);
    if (rest.length > 0) throw malformed();
    return content.map((piece) => this.#literal.take(piece)).filter((piece) => piece.length > 0);
  }
}

/** Collects the first bytes of a stream. */
class FirstBytes {
  readonly bytes: Buffer;
  #filled = 0;

  constructor(length: number) {
    this.bytes = Buffer.alloc(length);
  }

  get full(): boolean {
    return this.#filled === this.bytes.length;
  }

  /** Keeps the bytes that are missing and returns the rest. */
  take(piece: Uint8Array): Uint8Array {
    const part = piece.subarray(0, this.bytes.length - this.#filled);
    this.bytes.set(part, this.#filled);
    this.#filled += part.length;
    return piece.subarray(part.length);
  }
}

function malformed() {
  return parcelFault(
    "PARCEL_MALFORMED",
    "The parcel's compatible data is not the OpenPGP message that the profile defines.",
  );
}
