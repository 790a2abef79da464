import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import type { Hex } from "../../../src/protocol/ids.ts";
import { filesDigest } from "../../../src/protocol/parcel/digest.ts";

const hash = (text: string): Hex => `0x${createHash("sha256").update(text).digest("hex")}`;
const a = { path: "a", size: 1, hash: hash("1") };
const b = { path: "b", size: 2, hash: hash("22") };

test("the digest of one file is as specified", () => {
  const expected = createHash("sha256")
    .update("ichain/files/1\0")
    .update(Buffer.from("0000000161", "hex"))
    .update(Buffer.from("0000000000000001", "hex"))
    .update(Buffer.from(a.hash.slice(2), "hex"))
    .digest("hex");
  assert.equal(filesDigest([a]), `0x${expected}`);
});

test("the digest does not depend on the order of files", () => {
  assert.equal(filesDigest([a, b]), filesDigest([b, a]));
});

test("the digest depends on path, size, hash and number of files", () => {
  const all = [[], [a], [b], [a, b], [{ ...a, path: "c" }], [{ ...a, size: 2 }], [{ ...a, hash: b.hash }]];
  assert.equal(new Set(all.map((files) => filesDigest(files))).size, all.length);
});

test("different lists of files have different digests", () => {
  const file = fc.record({
    path: fc.string({ minLength: 1, maxLength: 5 }),
    size: fc.nat(3),
    hash: fc.constantFrom(hash("x"), hash("y")),
  });
  const files = fc.uniqueArray(file, { selector: (one) => one.path, maxLength: 4 });
  const key = (list: readonly { path: string }[]) =>
    JSON.stringify([...list].sort((x, y) => (x.path < y.path ? -1 : 1)));
  fc.assert(
    fc.property(files, files, (x, y) => {
      assert.equal(filesDigest(x) === filesDigest(y), key(x) === key(y));
    }),
    { numRuns: 500 },
  );
});
