import assert from "node:assert/strict";
import { test } from "node:test";
import { AbiCoder, ParamType } from "ethers";
import fc from "fast-check";
import { valuesReader } from "../../../src/chain/abi/values.ts";
import { fromHex, toHex } from "../../../src/protocol/bytes.ts";
import type { Hex } from "../../../src/protocol/ids.ts";

const coder = AbiCoder.defaultAbiCoder();
const bits = fc.constantFrom(8, 40, 96, 128, 256);
const hexOf = (least: number, most = least) =>
  fc.uint8Array({ minLength: least, maxLength: most }).map((bytes) => toHex(bytes) as unknown);

/** A type with a value of it. */
const plain: fc.Arbitrary<{ type: string; value: unknown }> = fc.oneof(
  bits.chain((n) =>
    fc.bigInt({ min: 0n, max: 2n ** BigInt(n) - 1n }).map((value) => ({ type: `uint${n}`, value })),
  ),
  bits.chain((n) =>
    fc
      .bigInt({ min: -(2n ** BigInt(n - 1)), max: 2n ** BigInt(n - 1) - 1n })
      .map((value) => ({ type: `int${n}`, value })),
  ),
  fc.boolean().map((value) => ({ type: "bool", value })),
  hexOf(20).map((value) => ({ type: "address", value })),
  fc.constantFrom(1, 20, 32).chain((n) => hexOf(n).map((value) => ({ type: `bytes${n}`, value }))),
  hexOf(0, 100).map((value) => ({ type: "bytes", value })),
);
const { any } = fc.letrec<{ any: { type: string; value: unknown } }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 2 },
    plain,
    fc.array(tie("any"), { minLength: 1, maxLength: 4 }).map((parts) => ({
      type: `tuple(${parts.map(({ type }, i) => `${type} f${i}`).join(", ")})`,
      value: parts.map(({ value }) => value),
    })),
  ),
}));
const several = fc.array(any, { minLength: 1, maxLength: 5 });
const paramsOf = (parts: readonly { type: string }[]) =>
  parts.map(({ type }, i) => ParamType.from(`${type} p${i}`));
const bufferOf = (hex: string) => Buffer.from(fromHex(hex as Hex));

test("values are read as ethers reads them", () => {
  fc.assert(
    fc.property(several, (parts) => {
      const params = paramsOf(parts);
      const encoded = coder.encode(
        params,
        parts.map(({ value }) => value),
      );
      assert.deepEqual(valuesReader(params)(bufferOf(encoded)), coder.decode(params, encoded).toObject(true));
    }),
  );
});

test("an encoding that is cut off or changed gives a RangeError, or values that ethers finds too", () => {
  fc.assert(
    fc.property(several, fc.nat(), fc.integer({ min: 1, max: 255 }), (parts, place, change) => {
      const params = paramsOf(parts);
      const data = bufferOf(
        coder.encode(
          params,
          parts.map(({ value }) => value),
        ),
      );
      const at = place % data.length;
      data[at] = data[at]! ^ change;
      for (const bytes of [data, data.subarray(0, at)]) {
        let read: unknown;
        try {
          read = valuesReader(params)(bytes);
        } catch (error) {
          assert.ok(error instanceof RangeError);
          continue;
        }
        assert.deepEqual(read, coder.decode(params, toHex(bytes), true).toObject(true));
      }
    }),
  );
});

test("a type that is not read is refused before anything is", () => {
  assert.throws(() => valuesReader([ParamType.from("address[] many")]), RangeError);
});
