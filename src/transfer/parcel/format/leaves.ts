import { createHash, type Hash } from "node:crypto";
import { toHex } from "../../../protocol/bytes.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { PIECE_BYTES } from "../../../protocol/limits.ts";
import { merkleRoot } from "../../merkle.ts";

/** Leaf hashes of a growing blob in constant memory; the same as `leafHash` of each piece. */
export class LeafHasher {
  readonly #leaves: Uint8Array[];
  #open: Hash | undefined;
  #filled = 0;

  /** `leaves`: hashes of the whole pieces so far, when a blob is continued. */
  constructor(leaves: readonly Uint8Array[] = []) {
    this.#leaves = [...leaves];
  }

  /** Hashes of whole pieces so far. */
  get leaves(): readonly Uint8Array[] {
    return this.#leaves;
  }

  update(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0; ) {
      this.#open ??= createHash("sha256").update(Uint8Array.of(0));
      const part = rest.subarray(0, PIECE_BYTES - this.#filled);
      this.#open.update(part);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled < PIECE_BYTES) continue;
      this.#leaves.push(this.#open.digest());
      this.#open = undefined;
      this.#filled = 0;
    }
  }

  /** Merkle root of the bytes so far; more may follow. */
  root(): Hex {
    return toHex(merkleRoot(this.#open ? [...this.#leaves, this.#open.copy().digest()] : this.#leaves));
  }
}
