import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ErrorCode } from "../../../src/errors/catalogue.ts";
import { isIchainError } from "../../../src/errors/error.ts";
import { headerBounds } from "../../../src/protocol/tensors/bounds.ts";
import { headerLength, readHeader } from "../../../src/protocol/tensors/header.ts";
import { writeSafetensors } from "../../../src/protocol/tensors/write.ts";
import { fileOf, lyingHeaders, malformedHeaders } from "../../support/tensors.ts";

const refused = (file: Uint8Array, code: ErrorCode, bounds = headerBounds) =>
  assert.throws(
    () => readHeader(file, bounds),
    (error) => isIchainError(error, code) && error.class === "untrusted",
  );
const tensor = (shape: readonly number[], start: number, end: number, dtype = "F32") => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

describe("the header of a safetensors file", () => {
  test("gives names, dtypes, shapes and the place of the data, in the order of the data", () => {
    const file = fileOf(
      { b: tensor([2, 3], 4, 28), __metadata__: { format: "pt" }, a: tensor([1], 0, 4) },
      28,
    );
    const header = readHeader(file);
    const origin = file.length - 28;
    assert.deepEqual(header.tensors, [
      { name: "a", dtype: "F32", shape: [1], start: origin, end: origin + 4 },
      { name: "b", dtype: "F32", shape: [2, 3], start: origin + 4, end: origin + 28 },
    ]);
    assert.deepEqual([...header.metadata], [["format", "pt"]]);
    assert.equal(header.dataBytes, 28);
  });

  test("may have no tensor, a scalar, an empty tensor, elements of less than a byte, white space and spaces after it", () => {
    assert.deepEqual(readHeader(fileOf("{}", 0)).tensors, []);
    assert.equal(readHeader(fileOf({ s: tensor([], 0, 4) }, 4)).dataBytes, 4);
    const empties = {
      z: tensor([0], 4, 4),
      y: tensor([4], 0, 4, "U8"),
      x: tensor([3, 0], 4, 4),
      w: tensor([1], 4, 8),
    };
    assert.deepEqual(
      readHeader(fileOf(empties, 8)).tensors.map(({ name }) => name),
      ["y", "z", "x", "w"],
    );
    assert.equal(readHeader(fileOf({ q: tensor([4], 0, 3, "F6_E2M3") }, 3)).dataBytes, 3);
    assert.equal(
      readHeader(fileOf('{ "s" :\n{"shape": [ ],\t"dtype":"I8", "data_offsets":[0 , 1]} }   ', 1)).dataBytes,
      1,
    );
  });

  test("keeps names that are keys of every object", () => {
    const names = ["__proto__", "constructor", "toString", "", "\u202e", '"'];
    const fields = names.map(
      (name, at) => `${JSON.stringify(name)}:${JSON.stringify(tensor([1], 4 * at, 4 * at + 4))}`,
    );
    const header = readHeader(fileOf(`{${fields.join(",")}}`, 4 * names.length));
    assert.deepEqual(
      header.tensors.map(({ name }) => name),
      names,
    );
  });

  test("is refused when offsets overlap, leave a gap, run backwards, or lie about a length or the file's", () => {
    for (const [header, dataBytes] of lyingHeaders)
      refused(fileOf(header, dataBytes), "TENSORS_INCONSISTENT");
  });

  test("is refused when a shape's product overflows, even to the right size", () => {
    for (const shape of [[2 ** 32, 2 ** 32], [2 ** 52, 2 ** 12, 0], [2 ** 53 - 1], [2 ** 27, 2 ** 27]]) {
      refused(fileOf({ a: tensor(shape, 0, 0) }, 0), "TENSORS_INCONSISTENT");
    }
  });

  test("is refused when it is not of the form", () => {
    for (const json of malformedHeaders) refused(fileOf(json, 0), "TENSORS_MALFORMED");
    refused(fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), 0), "TENSORS_MALFORMED");
  });

  test("is refused when the file ends before it, whatever length it claims", () => {
    for (const size of [0, 7]) refused(new Uint8Array(size), "TENSORS_MALFORMED");
    for (const length of [3n, 2n ** 31n, 2n ** 63n, 2n ** 64n - 1n]) {
      const file = fileOf("{}", 0);
      new DataView(file.buffer).setBigUint64(0, length, true);
      refused(file, "TENSORS_MALFORMED");
    }
  });

  test("is refused beyond its bounds, before it is built up", () => {
    const bounds = { ...headerBounds, tensors: 2, nameBytes: 4, dimensions: 2, metadata: 1, dataBytes: 8 };
    const one = (name: string, at = 0) => ({ [name]: tensor([1], at, at + 4) });
    readHeader(fileOf({ ...one("éé"), ...one("b", 4), __metadata__: { a: "long text" } }, 8), {
      ...bounds,
      nameBytes: 12,
    });
    refused(fileOf({ ...one("a"), ...one("b", 4), ...one("c", 8) }, 12), "TENSORS_TOO_LARGE", bounds);
    refused(fileOf(one("ééx"), 4), "TENSORS_TOO_LARGE", bounds);
    refused(fileOf(one("x".repeat(100)), 4), "TENSORS_TOO_LARGE", bounds);
    refused(fileOf({ a: tensor([1, 1, 1], 0, 4) }, 4), "TENSORS_TOO_LARGE", bounds);
    refused(fileOf({ __metadata__: { a: "", b: "" } }, 0), "TENSORS_TOO_LARGE", { ...bounds, nameBytes: 12 });
    refused(fileOf({ a: tensor([3], 0, 12) }, 12), "TENSORS_TOO_LARGE", bounds);
    refused(fileOf('{"a":{"a":{"a":{"a":{}}}}}', 0), "TENSORS_MALFORMED", bounds);
    refused(fileOf(`{${'"a":{'.repeat(10_000)}`, 0), "TENSORS_MALFORMED");
    refused(fileOf(" ".repeat(100), 0), "TENSORS_TOO_LARGE", { ...headerBounds, headerBytes: 99 });
    assert.throws(
      () => headerLength(Uint8Array.of(0, 0, 0, 2, 0, 0, 0, 0), 2 ** 40),
      (error) => isIchainError(error, "TENSORS_TOO_LARGE"),
    );
  });

  test("of any damaged file is read, or refused with a code, and what is read covers the file once", () => {
    const whole = writeSafetensors(
      [
        { name: "w", dtype: "F32", shape: [2, 2], data: new Uint8Array(16) },
        { name: "b", dtype: "I8", shape: [3], data: new Uint8Array(3) },
      ],
      { format: "np" },
    );
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(damage, fc.nat(whole.length), (changes, length) => {
        const file = whole.slice(0, length % 3 === 0 ? length : whole.length);
        for (const [at, byte] of changes) if (at < file.length) file[at] = byte;
        try {
          const { tensors, dataBytes } = readHeader(file);
          let next = file.length - dataBytes;
          for (const { start, end } of tensors) {
            assert.equal(start, next);
            next = end;
          }
          assert.equal(next, file.length);
        } catch (error) {
          assert.ok(isIchainError(error) && error.code.startsWith("TENSORS_"), String(error));
        }
      }),
      { numRuns: 3000 },
    );
  });
});
