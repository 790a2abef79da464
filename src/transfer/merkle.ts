import { createHash } from "node:crypto";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** SHA-256(0x00 ‖ piece): the prefix distinguishes a leaf from an inner node (RFC 6962, section 2.1). */
export function leafHash(piece: Uint8Array): Uint8Array {
  return createHash("sha256").update(LEAF).update(piece).digest();
}

/**
 * Root over leaf hashes of 32 bytes each: SHA-256(0x01 ‖ left ‖ right), an odd node is promoted unchanged. One leaf is
 * its own root; without leaves the root is SHA-256("").
 */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return createHash("sha256").digest();
  let level = leaves;
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const [left, right] = [level[i]!, level[i + 1]];
      next.push(right ? createHash("sha256").update(NODE).update(left).update(right).digest() : left);
    }
    level = next;
  }
  return level[0]!;
}
