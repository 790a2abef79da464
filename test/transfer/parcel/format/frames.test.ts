import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { zstdDecompressSync } from "node:zlib";
import { SLICE_BYTES } from "../../../../src/transfer/parcel/format/archive.ts";
import { compress, inflate, MAX_FRAME } from "../../../../src/transfer/parcel/format/frames.ts";
import { code } from "../../../support/parcel/parcels.ts";

const join = async (slice: Buffer) => Buffer.concat(await compress(slice));
const KiB = 1024;

test("a slice that does not compress is stored in a frame that every zstd opens", async () => {
  for (const length of [SLICE_BYTES, SLICE_BYTES - 1, 128 * KiB, 128 * KiB + 1, 64 * KiB]) {
    const slice = randomBytes(length);
    const frame = await join(slice);
    assert.equal(
      frame.length,
      length + 9 + 3 * Math.ceil(length / (128 * KiB)),
      "raw blocks and their headers",
    );
    assert.ok(frame.length <= MAX_FRAME);
    assert.deepEqual(zstdDecompressSync(frame), slice);
    const { slice: opened, used } = await inflate(Buffer.concat([frame, randomBytes(10)]), length);
    assert.deepEqual(opened, slice);
    assert.equal(used, frame.length);
  }
});

test("a slice that compresses is compressed, however little, and so is a short one", async () => {
  const weights = Buffer.from(Float32Array.from({ length: SLICE_BYTES / 4 }, () => Math.random()).buffer);
  const text = Buffer.alloc(SLICE_BYTES, "text ");
  for (const [slice, most] of [
    [weights, 0.95],
    [text, 0.01],
    [Buffer.alloc(1024), 0.1],
  ] as const) {
    const frame = await join(slice);
    assert.ok(frame.length < most * slice.length, `${frame.length} of ${slice.length}`);
    assert.deepEqual(zstdDecompressSync(frame), slice);
  }
});

test("a stored frame of another length than declared is refused", async () => {
  const frame = await join(randomBytes(SLICE_BYTES));
  await assert.rejects(inflate(frame, SLICE_BYTES - 1), code("PARCEL_MALFORMED"));
  await assert.rejects(inflate(frame, SLICE_BYTES + 1), code("PARCEL_MALFORMED"));
  await assert.rejects(inflate(frame.subarray(0, -1), SLICE_BYTES), code("PARCEL_MALFORMED"));
});
