import { createHash, type Hash } from "node:crypto";
import type { Hex } from "../../../protocol/ids.ts";
import { PIECE_BYTES } from "../../../protocol/limits.ts";
import { merkleRoot } from "../../merkle.ts";

/** The leaves of a blob that is written or read from start to end. */
export interface Leaves extends AsyncDisposable {
  /**
   * Hashes `parts`, which must not be used again; calls need not wait for each other. Resolves once few parts wait, so
   * that memory stays bounded.
   */
  update(parts: readonly Uint8Array[]): Promise<void>;
  /** Hashes of the whole pieces, and the root, of what was passed before this call. */
  settle(): Promise<{ readonly leaves: readonly Uint8Array[]; readonly root: Hex }>;
}

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

  /** Hash of the last piece so far, while it is not whole. */
  get last(): Uint8Array | undefined {
    return this.#open?.copy().digest();
  }

  /** Merkle root of the bytes so far; more may follow. */
  root(): Hex {
    const { last } = this;
    const root = merkleRoot(last ? [...this.#leaves, last] : this.#leaves);
    return `0x${Buffer.from(root).toString("hex")}`;
  }
}
