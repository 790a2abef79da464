import { parcelFault } from "../errors.ts";

/**
 * A packet whose length is not known when it begins (RFC 9580, 4.2.1.4): parts of 1 MiB, then the rest with a
 * five-octet length. The writer writes and the reader accepts this form only.
 */

const PART = 1 << 20;
export const PART_OCTET = 0xe0 | 20;
const LAST_OCTET = 0xff;

/** Writes one packet of that tag. */
export class PartialWriter {
  readonly #pending = Buffer.allocUnsafe(PART);
  #filled = 0;
  #head: readonly number[];

  constructor(tag: number) {
    this.#head = [tag];
  }

  /** The parts that `bytes` complete. */
  write(bytes: Uint8Array): Uint8Array[] {
    const out: Uint8Array[] = [];
    for (let rest = bytes; rest.length > 0; ) {
      const piece = rest.subarray(0, PART - this.#filled);
      this.#pending.set(piece, this.#filled);
      this.#filled += piece.length;
      rest = rest.subarray(piece.length);
      if (this.#filled < PART) continue;
      out.push(Uint8Array.from([...this.#head, PART_OCTET]), Uint8Array.from(this.#pending));
      this.#head = [];
      this.#filled = 0;
    }
    return out;
  }

  /** The last part. */
  end(): Uint8Array[] {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(this.#filled);
    return [Uint8Array.from([...this.#head, LAST_OCTET, ...length]), this.#pending.subarray(0, this.#filled)];
  }
}

/** Reads one packet of that tag. */
export class PartialReader {
  readonly #tag: number;
  /** Octets of a header not yet complete. */
  #head: number[] = [];
  #begun = false;
  #last = false;
  /** Bytes of the present part not read yet. */
  #left = 0;

  constructor(tag: number) {
    this.#tag = tag;
  }

  get ended(): boolean {
    return this.#last && this.#left === 0 && this.#head.length === 0;
  }

  /**
   * The packet's content in `bytes`, and the bytes after the packet.
   * @throws PARCEL_MALFORMED
   */
  push(bytes: Uint8Array): { content: Uint8Array[]; rest: Uint8Array } {
    const content: Uint8Array[] = [];
    let rest = bytes;
    while (rest.length > 0 && !this.ended) {
      if (this.#left === 0) {
        this.#header(rest[0]!);
        rest = rest.subarray(1);
        continue;
      }
      const piece = rest.subarray(0, this.#left);
      content.push(piece);
      this.#left -= piece.length;
      rest = rest.subarray(piece.length);
    }
    return { content, rest };
  }

  #header(octet: number): void {
    if (!this.#begun) {
      if (octet !== this.#tag) throw malformed();
      this.#begun = true;
      return;
    }
    this.#head.push(octet);
    if (this.#head[0] === PART_OCTET) {
      this.#left = PART;
    } else if (this.#head[0] !== LAST_OCTET) {
      throw malformed();
    } else if (this.#head.length < 5) {
      return;
    } else {
      this.#last = true;
      this.#left = Buffer.from(this.#head).readUInt32BE(1);
      if (this.#left > PART) throw malformed();
    }
    this.#head = [];
  }
}

function malformed() {
  return parcelFault(
    "PARCEL_MALFORMED",
    "The parcel's compatible data does not have the profile's packet lengths.",
  );
}
