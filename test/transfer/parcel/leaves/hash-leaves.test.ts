import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { toHex } from "../../../../src/protocol/bytes.ts";
import { PIECE_BYTES } from "../../../../src/protocol/limits.ts";
import { leafHash } from "../../../../src/transfer/merkle.ts";
import { hashLeaves, THREAD_BYTES } from "../../../../src/transfer/parcel/leaves/hash-leaves.ts";
import { LeafHasher } from "../../../../src/transfer/parcel/leaves/hasher.ts";

const blob = randomBytes(20 * PIECE_BYTES + 100);
const known = [0, 1].map((i) => leafHash(blob.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES)));
/** Memory of its own, as a message has; small parts share a buffer, as headers do. */
const copy = (from: number, to: number) => Uint8Array.from(blob.subarray(from, to));

for (const [where, bytes] of [
  ["here", 0],
  ["on a thread of its own", THREAD_BYTES],
] as const) {
  test(`leaves that are hashed ${where} are those of the blob, also half-way`, async () => {
    await using leaves = hashLeaves(bytes, known);
    const hasher = new LeafHasher(known);
    const portions = [0, 10, PIECE_BYTES, 5 * PIECE_BYTES + 7, 5 * PIECE_BYTES + 8, 18 * PIECE_BYTES - 9];
    const begin = 2 * PIECE_BYTES;
    for (const [i, portion] of portions.entries()) {
      const end = begin + (portions[i + 1] ?? blob.length - begin);
      const middle = Math.min(end, begin + portion + 5);
      hasher.update(blob.subarray(begin + portion, end));
      // Not awaited: the order of the calls counts.
      void leaves.update([copy(begin + portion, middle), copy(middle, end)]);
      const settled = await leaves.settle();
      assert.deepEqual(settled.leaves.map(toHex), hasher.leaves.map(toHex));
      assert.equal(settled.root, hasher.root());
    }
    assert.equal((await leaves.settle()).leaves.length, 20);
  });
}

test("the thread takes the memory of large parts over, and lets few of them wait", async () => {
  await using leaves = hashLeaves(THREAD_BYTES);
  const parts = Array.from({ length: 8 }, (_, i) => copy(2 * i * PIECE_BYTES, 2 * (i + 1) * PIECE_BYTES));
  for (const part of parts) {
    await leaves.update([part]);
    assert.equal(part.length, 0, "it is not copied");
  }
  assert.equal((await leaves.settle()).leaves.length, 16);
});
