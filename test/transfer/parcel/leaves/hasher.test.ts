import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { toHex } from "../../../../src/protocol/bytes.ts";
import { PIECE_BYTES } from "../../../../src/protocol/limits.ts";
import { leafHash, merkleRoot } from "../../../../src/transfer/merkle.ts";
import { LeafHasher } from "../../../../src/transfer/parcel/leaves/hasher.ts";

const blob = randomBytes(3 * PIECE_BYTES + 100);

function rootOf(bytes: Uint8Array): string {
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += PIECE_BYTES)
    leaves.push(leafHash(bytes.subarray(at, at + PIECE_BYTES)));
  return toHex(merkleRoot(leaves));
}

test("a blob hashed in portions of any size has the root that transports verify", () => {
  for (const portion of [400_000, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, blob.length]) {
    const hasher = new LeafHasher();
    for (let at = 0; at < blob.length; at += portion) {
      assert.equal(hasher.root(), rootOf(blob.subarray(0, at)), "the root of every prefix too");
      hasher.update(blob.subarray(at, at + portion));
    }
    assert.equal(hasher.root(), rootOf(blob));
  }
});

test("hashing continues from known leaves", () => {
  const first = new LeafHasher();
  first.update(blob.subarray(0, 2 * PIECE_BYTES + 5));
  const second = new LeafHasher(first.leaves);
  second.update(blob.subarray(2 * PIECE_BYTES));
  assert.equal(second.root(), rootOf(blob));
});
