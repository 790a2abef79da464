import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { emptyChunk } from "../../../src/protocol/federated/codec/chunk.ts";
import { encodeTopk } from "../../../src/protocol/federated/codec/topk.ts";
import {
  isPacked,
  packedBytes,
  packWeights,
  unpackWeights,
} from "../../../src/protocol/gossip/packed-model.ts";
import { modelFile, modelWeights } from "../../../src/roles/gossip/model-file.ts";

const layoutOf = (size: number) => [{ name: "weight", shape: [size] }];
const weights = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 600 });
/** Why a packed model is refused; "none" where it is not. */
const refusal = (file: Uint8Array, size: number): string => {
  try {
    unpackWeights(file, size);
    return "none";
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code}: ${message}`;
  }
};

test("a packed model has one length, is within half a step of each weight, and packs to itself", () => {
  fc.assert(
    fc.property(weights, (values) => {
      const packed = packWeights(values);
      assert.equal(packed.length, packedBytes(values.length));
      assert.ok(isPacked(packed));
      const read = unpackWeights(packed, values.length);
      for (let from = 0; from < values.length; from += 256) {
        const block = values.slice(from, from + 256);
        // The least power of two of which 127 hold the largest, and never less than 2^-24.
        const largest = Math.max(...block.map(Math.abs));
        const step = Math.max(2 ** -24, 2 ** Math.ceil(Math.log2((largest || 1e-9) / 127)));
        for (const [i, value] of block.entries())
          assert.ok(Math.abs(read[from + i]! - value) <= step / 2 + 1e-12, `${value} is ${read[from + i]}`);
      }
      assert.deepEqual(packWeights(read), packed);
      assert.deepEqual(modelWeights(packed, layoutOf(values.length)), Float32Array.from(read));
    }),
  );
});

test("weights are read from either form, and a file of one is never taken for one of the other", () => {
  const values = Float32Array.from({ length: 700 }, (_, i) => Math.sin(i) / 7);
  const plain = modelFile(layoutOf(700), values);
  assert.ok(!isPacked(plain) && !isPacked(new Uint8Array()));
  assert.deepEqual(modelWeights(plain, layoutOf(700)), values);
  const packed = modelWeights(packWeights(values), layoutOf(700))!;
  assert.ok(packed.every((value, i) => Math.abs(value - values[i]!) <= 2 ** -10));
  assert.equal(modelWeights(packWeights(values), layoutOf(701)), undefined);
});

test("a hostile packed model is refused with its reason, however it was made", () => {
  const size = 5000;
  const packed = packWeights(Float64Array.from({ length: size }, (_, i) => Math.cos(i)));
  const touched = (at: number, byte: number) => Uint8Array.from(packed).fill(byte, at, at + 1);
  assert.match(refusal(packed.subarray(1), size), /^MODEL_INVALID: .* bytes/);
  assert.match(refusal(packed, size + 1), /^MODEL_INVALID: .* bytes/);
  assert.match(refusal(new Uint8Array(packed.length), size), /does not begin as one/);
  assert.match(refusal(touched(4, 9), size), /kind is unknown/);
  assert.match(refusal(touched(15, 1), size), /parameters, the model 5000/);
  assert.match(refusal(touched(8, 255), size), /length is out of bounds/);
  assert.match(refusal(touched(47, 1), size), /names a state/);
  assert.match(refusal(touched(48, 25), size), /a scale is out of range/);
  assert.match(refusal(touched(48, packed[48]! + 1).fill(1, 64, 320), size), /larger than it need be/);
  assert.match(refusal(touched(100, 0x80), size), /a code is out of range/);
  const chunk = emptyChunk();
  const top = encodeTopk(new Float64Array(chunk.codes.length), 400, new Uint8Array(32));
  assert.match(refusal(top, chunk.codes.length), /^MODEL_INVALID: .* bytes/);
  const asTop = Uint8Array.from(top.subarray(0, packedBytes(100)))
    .fill(0, 8, 16)
    .fill(100, 15, 16);
  assert.match(refusal(asTop, 100), /packed as topk/);
});

test("no bytes bring the reader down, or to a weight that is no number", () => {
  const size = 300;
  const packed = packWeights(Float64Array.from({ length: size }, (_, i) => i / size));
  const changes = fc.array(fc.tuple(fc.nat(packed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(changes, (each) => {
      const file = Uint8Array.from(packed);
      for (const [at, byte] of each) file[at] = byte;
      const read = isPacked(file) ? modelWeights(file, layoutOf(size)) : undefined;
      assert.ok(read === undefined || (read.length === size && read.every(Number.isFinite)));
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (file) =>
      assert.match(refusal(file, size), /^MODEL_INVALID/),
    ),
  );
});
