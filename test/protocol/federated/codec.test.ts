import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isIchainError } from "../../../src/errors/error.ts";
import { encodeInt8 } from "../../../src/protocol/federated/codec/int8.ts";
import { encodeTopk } from "../../../src/protocol/federated/codec/topk.ts";
import { decodeUpdate, openUpdate } from "../../../src/protocol/federated/codec/update.ts";

const refused = (error: unknown) => isIchainError(error) && error.code === "UPDATE_INVALID";
const values = (maxLength: number) =>
  fc.array(fc.double({ min: -200, max: 200, noNaN: true }), { minLength: 1, maxLength });
const none = new Uint8Array(32);
/** A change of a model in the size that training makes, long enough for several chunks. */
const change = (length: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => ((((i * 7919) % 10_007) - 5003) / 5003) ** 3 / 50);

test("an int8 update is off by half a step of its block's scale at most, and saturates at ±127", () => {
  fc.assert(
    fc.property(values(1000), (numbers) => {
      const decoded = decodeUpdate(openUpdate(encodeInt8(numbers), numbers.length));
      for (const [i, value] of numbers.entries()) {
        const block = numbers.slice(i - (i % 256), i - (i % 256) + 256).map(Math.abs);
        const largest = Math.min(127, Math.max(...block));
        const bound = Math.max(largest / 63.75, 2 ** -24) / 2;
        const within = Math.max(-127, Math.min(127, value));
        assert.ok(Math.abs(decoded[i]! - within) <= bound * (1 + 1e-12), `${value} → ${decoded[i]}`);
      }
    }),
  );
});

test("an int8 update of what one says is that update, byte for byte", () => {
  fc.assert(
    fc.property(values(600), (numbers) => {
      const bytes = encodeInt8(numbers);
      assert.deepEqual(encodeInt8(decodeUpdate(openUpdate(bytes, numbers.length))), bytes);
    }),
  );
});

test("the updates of a 50,890-parameter model have the sizes that are promised", () => {
  const numbers = change(50_890);
  assert.equal(encodeInt8(numbers).length, 48 + 50_890 + 199);
  assert.equal(encodeTopk(numbers, 30, none).length, 48 + 12 * (3 + 216) + 3 + 93);
});

test("hand-worked: scales, codes and their order", () => {
  // 1 = 64 · 2^-6 is scale 18; -2^-24 is one step of scale 0, alone in the second block.
  const numbers = new Float64Array(257);
  numbers[0] = 1;
  numbers[1] = -0.5;
  numbers[256] = -(2 ** -24);
  const bytes = encodeInt8(numbers);
  assert.deepEqual(
    [...bytes.subarray(0, 16)],
    [0x49, 0x43, 0x55, 0x31, 0, 0, 3, 232, 0, 0, 0, 0, 0, 0, 1, 1],
  );
  assert.deepEqual([...bytes.subarray(48, 52)], [18, 0, 64, 224]);
  assert.equal(bytes.at(-1), 255);
});

test("top-k sends the largest values, and what it does not say stays in the residual", () => {
  fc.assert(
    fc.property(values(5000), fc.integer({ min: 1, max: 500 }), (numbers, keep) => {
      const small = numbers.map((value) => value / 2);
      const residual = Float64Array.from(small);
      const decoded = decodeUpdate(openUpdate(encodeTopk(residual, keep, none), small.length));
      for (const [i, value] of small.entries()) assert.equal(residual[i]! + 0, value - decoded[i]! + 0);
      const sent = [...decoded.keys()].filter((i) => decoded[i] !== 0);
      const most = Math.ceil((Math.min(4096, small.length) * keep) / 1000) * Math.ceil(small.length / 4096);
      assert.ok(sent.length <= most);
    }),
    { numRuns: 50 },
  );
});

test("with error feedback a constant change arrives in the end, although a round says three hundredths of it", () => {
  const step = change(2000);
  const residual = new Float64Array(step.length);
  const arrived = new Float64Array(step.length);
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i < step.length; i++) residual[i]! += step[i]!;
    const decoded = decodeUpdate(openUpdate(encodeTopk(residual, 30, none), step.length));
    for (let i = 0; i < step.length; i++) arrived[i]! += decoded[i]!;
  }
  const norm = (list: Float64Array) => Math.sqrt(list.reduce((sum, value) => sum + value * value, 0));
  const missing = arrived.map((value, i) => value - 200 * step[i]!);
  assert.ok(norm(missing) < 0.2 * 200 * norm(step), `${norm(missing)} of ${200 * norm(step)}`);
});

test("an update of another length, size, kind or form is refused, and so is what no encoder writes", () => {
  const good = encodeInt8(change(5000));
  const top = encodeTopk(change(5000), 30, none);
  const damaged = (bytes: Uint8Array, at: number, byte: number) => {
    const copy = bytes.slice();
    copy[at] = byte;
    return copy;
  };
  assert.throws(() => openUpdate(good, 5001), refused);
  assert.throws(() => openUpdate(good.subarray(0, -1), 5000), refused);
  assert.throws(() => openUpdate(new Uint8Array(47), 5000), refused);
  assert.throws(() => openUpdate(damaged(good, 0, 0), 5000), refused);
  assert.throws(() => openUpdate(damaged(good, 4, 9), 5000), refused, "kind");
  assert.throws(() => openUpdate(damaged(good, 5, 1), 5000), refused, "reserved byte");
  assert.throws(() => openUpdate(damaged(good, 6, 0), 5000), refused, "keep");
  assert.throws(() => openUpdate(damaged(good, 48, 25), 5000), refused, "scale");
  assert.throws(() => openUpdate(damaged(good, 48 + 16, 128), 5000), refused, "code -128");
  const zeros = encodeInt8(new Float64Array(300));
  assert.throws(() => openUpdate(damaged(zeros, 48, 5), 300), refused, "a scale that is larger than need be");
  assert.throws(() => openUpdate(damaged(top, 49, 127), 5000), refused, "lower above upper");
  assert.throws(() => openUpdate(damaged(top, 51, 255), 5000), refused, "places out of order");
  const ones = encodeTopk(Float64Array.of(1, 0, 0, 0, 0), 200, none);
  assert.throws(() => openUpdate(damaged(ones, ones.length - 1, 1), 5), refused, "idle bits");
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
    assert.throws(() => encodeInt8([value]), refused);
    assert.throws(() => encodeTopk(Float64Array.of(value), 30, none), refused);
  }
});

test("bytes of chance are opened or refused with the code, and nothing else", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 0, maxLength: 400 }),
      fc.integer({ min: 1, max: 400 }),
      (bytes, length) => {
        const header = encodeInt8(new Float64Array(length)).subarray(0, 48);
        for (const candidate of [bytes, Uint8Array.from([...header, ...bytes])]) {
          try {
            decodeUpdate(openUpdate(candidate, length));
          } catch (error) {
            assert.ok(refused(error), String(error));
          }
        }
      },
    ),
  );
});
