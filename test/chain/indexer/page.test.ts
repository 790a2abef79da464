import assert from "node:assert/strict";
import { test } from "node:test";
import { AbiCoder } from "ethers";
import fc from "fast-check";
import { splitArray } from "../../../src/chain/indexer/page.ts";
import { isIchainError } from "../../../src/errors/error.ts";
import { fromHex, toHex } from "../../../src/protocol/bytes.ts";
import type { Hex } from "../../../src/protocol/ids.ts";

const TUPLE = "tuple(address account, bool yes, uint128 price, bytes key, bytes details)";
const coder = AbiCoder.defaultAbiCoder();
const blob = fc.uint8Array({ maxLength: 200 }).map(toHex);
const element = fc.tuple(
  fc.uint8Array({ minLength: 20, maxLength: 20 }).map(toHex),
  fc.boolean(),
  fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
  blob,
  blob,
);
const encoded = (elements: unknown[]) => fromHex(coder.encode([`${TUPLE}[]`], [elements]) as Hex);

test("each element of a page decodes alone to what it is in the page", () => {
  fc.assert(
    fc.property(fc.array(element, { maxLength: 8 }), (elements) => {
      const alone = splitArray(encoded(elements), 8).map((tuple) => coder.decode([TUPLE], tuple)[0]);
      const whole = coder.decode([`${TUPLE}[]`], encoded(elements))[0];
      assert.deepEqual(alone.map(String), [...whole].map(String));
    }),
  );
});

test("more elements than asked for, and bytes that are no page, are refused", () => {
  const page = encoded([["0x0000000000000000000000000000000000000001", true, 1n, "0x", "0x"]]);
  const refused = (answer: Uint8Array, most = 8) =>
    assert.throws(
      () => splitArray(answer, most),
      (error) => isIchainError(error, "CHAIN_UNAVAILABLE"),
    );
  refused(page, 0);
  for (const length of [0, 1, 31, 32, 63, 64, 95]) refused(page.slice(0, length));
  for (const at of [0, 4, 31, 32, 60, 64]) refused(page.map((byte, i) => (i === at ? 0xff : byte)));
});

test("whatever bytes come, it returns or refuses, and never takes more than the answer has", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 512 }), (bytes) => {
      try {
        const parts = splitArray(bytes, 16);
        assert.ok(parts.length <= 16 && parts.every((part) => part.length <= bytes.length + 32));
      } catch (error) {
        assert.ok(isIchainError(error, "CHAIN_UNAVAILABLE"));
      }
    }),
  );
});
