import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { isIchainError } from "../../../src/errors/error.ts";
import { modelDigest, stateDigest, updateDigest } from "../../../src/protocol/federated/digest.ts";
import {
  readExactModel,
  readModel,
  writeExactModel,
  writeModel,
} from "../../../src/protocol/federated/model-file.ts";
import {
  chunkFromBytes,
  chunkToBytes,
  LARGEST_UNITS,
  Vector,
} from "../../../src/protocol/federated/vector.ts";
import { float32Tensor, int8Tensor } from "../../../src/protocol/tensors/values.ts";
import { writeSafetensors } from "../../../src/protocol/tensors/write.ts";

const sha256 = () => createHash("sha256");
const refused = (error: unknown) => isIchainError(error) && error.code === "MODEL_INVALID";
const layout = [
  { name: "a.weight", shape: [2, 2] },
  { name: "b", shape: [1] },
];

test("numbers become whole units of 2^-24, halves away from zero, and saturate at 2^23", () => {
  const { units } = Vector.fromNumbers([1, -1, 2 ** -25, -(2 ** -25), 2 ** -26, 1e30, -1e30, Number.NaN]);
  assert.deepEqual([...units], [2 ** 24, -(2 ** 24), 1, -1, 0, LARGEST_UNITS, -LARGEST_UNITS, 0]);
});

test("units survive their bytes, which are i64 little-endian", () => {
  const unit = fc.integer({ min: -LARGEST_UNITS, max: LARGEST_UNITS });
  fc.assert(
    fc.property(fc.array(unit, { minLength: 1, maxLength: 50 }), (units) => {
      const bytes = chunkToBytes(Float64Array.from(units), units.length);
      const view = new DataView(bytes.buffer);
      for (const [i, one] of units.entries()) assert.equal(view.getBigInt64(i * 8, true), BigInt(one));
      const back = new Float64Array(units.length);
      chunkFromBytes(bytes, back);
      assert.deepEqual(
        [...back],
        units.map((one) => one + 0),
      );
    }),
  );
});

test("a model survives both of its files: the exact one to the unit, the other to 32 bits", () => {
  const vector = Vector.fromNumbers([0.1, -2, 3.25, 1e-7, 100]);
  const exact = readExactModel(writeExactModel({ layout, vector }));
  assert.deepEqual(exact.layout, layout);
  assert.deepEqual([...exact.vector.units], [...vector.units]);
  const rounded = readModel(writeModel({ layout, vector }));
  assert.deepEqual(rounded.layout, layout);
  assert.deepEqual(
    [...rounded.vector.toNumbers()].map(Math.fround),
    [...vector.toNumbers()].map(Math.fround),
  );
});

test("a model's values are in the order of its tensors' names, whatever the file's", () => {
  const b = float32Tensor("b", [1], Float32Array.of(7));
  const a = float32Tensor("a", [2], Float32Array.of(1, 2));
  assert.deepEqual([...readModel(writeSafetensors([b, a])).vector.toNumbers()], [1, 2, 7]);
});

test("a model of other types, without values, or with values that are no numbers is refused", () => {
  assert.throws(() => readModel(writeSafetensors([int8Tensor("a", [1], Int8Array.of(1))])), refused);
  assert.throws(() => readModel(writeSafetensors([])), refused);
  for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
    assert.throws(
      () => readModel(writeSafetensors([float32Tensor("a", [1], Float32Array.of(value))])),
      refused,
    );
  }
  assert.throws(() => readExactModel(writeModel({ layout, vector: new Vector(5) })), refused);
  const beyond = new Vector(5);
  beyond.units[3] = LARGEST_UNITS + 1;
  assert.throws(() => readExactModel(writeExactModel({ layout, vector: beyond })), refused);
});

test("a model's digest is fixed: names, shapes and exact values", () => {
  const vector = Vector.fromNumbers([1, 2, 3, 4, -5]);
  const bytes = Buffer.concat([
    Buffer.from("ichain/model/1\0"),
    Buffer.from([2, 0, 0, 0, 8, 0, 0, 0]),
    Buffer.from("a.weight"),
    Buffer.from([2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]),
    Buffer.from("b"),
    Buffer.from([1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
    ...[1, 2, 3, 4, -5].map((value) => {
      const word = Buffer.alloc(8);
      word.writeBigInt64LE(BigInt(value) << 24n);
      return word;
    }),
  ]);
  assert.equal(modelDigest(sha256(), layout, vector), `0x${sha256().update(bytes).digest("hex")}`);
  const other = [layout[0]!, { name: "c", shape: [1] }];
  assert.notEqual(modelDigest(sha256(), other, vector), modelDigest(sha256(), layout, vector));
});

test("digests of a model, a state and an update of the same bytes differ", () => {
  const vector = new Vector(3);
  const digests = [
    modelDigest(sha256(), [], vector),
    stateDigest(sha256(), vector),
    updateDigest(sha256(), [chunkToBytes(vector.units, 3)]),
  ];
  assert.equal(new Set(digests).size, 3);
});
