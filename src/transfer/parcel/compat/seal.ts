import { type Cipheriv, createCipheriv, createHash, randomBytes } from "node:crypto";
import { PartialWriter } from "./partial.ts";

/**
 * The compatibility profile: all data as one OpenPGP message that GnuPG 2.2 decrypts, SEIPD version 1 with AES-256 in
 * CFB mode (RFC 9580, 5.13.1). It is slower, not resumable, and not authenticated before its end: only the root in the
 * signed manifest proves that the data is the author's.
 */

// RFC 9580, 5: packet tags in the new format
export const SEIPD = 0xd2;
export const LITERAL = 0xcb;
export const MDC = Uint8Array.of(0xd3, 0x14);
/** Binary, no name, no time (RFC 9580, 5.9). */
export const LITERAL_HEADER = Uint8Array.from([0x62, 0, 0, 0, 0, 0]);
/** Bytes of the prefix: a block of random bytes, then its last two again. */
export const PREFIX = 18;
export const NO_IV: Uint8Array = new Uint8Array(16);

export class CompatSealer {
  readonly #cipher: Cipheriv;
  readonly #hash = createHash("sha1");
  readonly #outer = new PartialWriter(SEIPD);
  readonly #inner = new PartialWriter(LITERAL);

  constructor(sessionKey: Uint8Array) {
    this.#cipher = createCipheriv("aes-256-cfb", sessionKey, NO_IV);
    const prefix = randomBytes(PREFIX);
    prefix.copyWithin(16, 14, 16);
    // Less than a part long: no part is complete before the first `seal`.
    this.#outer.write(Uint8Array.of(1));
    this.#encrypt([prefix]);
    this.#inner.write(LITERAL_HEADER);
  }

  /** Encrypts one more frame; returns the parts of the message that it completes. */
  seal(frame: readonly Uint8Array[]): Uint8Array[] {
    return this.#encrypt(frame.flatMap((part) => this.#inner.write(part)));
  }

  /** The last parts of the message. */
  end(): Uint8Array[] {
    const out = this.#encrypt([...this.#inner.end(), MDC]);
    return [...out, ...this.#outer.write(this.#cipher.update(this.#hash.digest())), ...this.#outer.end()];
  }

  #encrypt(parts: readonly Uint8Array[]): Uint8Array[] {
    return parts.flatMap((part) => {
      this.#hash.update(part);
      return this.#outer.write(this.#cipher.update(part));
    });
  }
}
