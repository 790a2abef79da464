import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isIchainError } from "../../../src/errors/error.ts";
import type { Hex } from "../../../src/protocol/ids.ts";
import { MAX_SEALED_BYTES, PART_CHARS } from "../../../src/protocol/limits.ts";
import { neutralise } from "../../../src/protocol/neutralise.ts";
import { decodePart, encodePart, liveKeys } from "../../../src/protocol/task/live-log.ts";

const keys = liveKeys(`0x${"11".repeat(32)}`);
const untrusted = (error: unknown) => isIchainError(error, "LOG_UNTRUSTED") && error.class === "untrusted";
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

test("a part with any text is decoded as it was encoded, and fits a sealed message", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: PART_CHARS }),
      fc.nat(),
      fc.boolean(),
      (raw, from, last) => {
        const text = neutralise(raw.toWellFormed());
        const part = { from, next: from + 1, text, last };
        assert.deepEqual(decodePart(encodePart(part, keys.mac), from, keys.mac), part);
      },
    ),
  );
  const widest = { from: 0, next: 1, text: "\uffdc".repeat(PART_CHARS), last: false };
  assert.ok(encodePart(widest, keys.mac).length <= MAX_SEALED_BYTES);
});

test("a part for another position, of another job or by another author is refused", () => {
  const part = { from: 3, next: 5, text: "acc: 0.9\n", last: false };
  const good = encodePart(part, keys.mac);
  assert.throws(() => decodePart(good, 4, keys.mac), untrusted);
  assert.throws(() => decodePart(good, 3, liveKeys(`0x${"12".repeat(32)}`).mac), untrusted);
  const shown = JSON.parse(new TextDecoder().decode(good)) as Record<string, unknown>;
  for (const change of [
    { text: "acc: 1.0\n" },
    { last: true },
    { next: 9 },
    { mac: `0x${"00".repeat(32)}` },
  ]) {
    assert.throws(() => decodePart(bytesOf({ ...shown, ...change }), 3, keys.mac), untrusted);
  }
});

test("bytes that are no part are refused", () => {
  for (const hostile of [
    new Uint8Array(0),
    new Uint8Array(70_000),
    Uint8Array.of(0xff, 0xfe),
    bytesOf(null),
    bytesOf({ version: 1, from: 0, next: 0, text: "x".repeat(PART_CHARS + 1), last: false, mac: keys.mac }),
    bytesOf({ version: 2, from: 0, next: 0, text: "", last: false, mac: keys.mac }),
  ]) {
    assert.throws(() => decodePart(hostile, 0, keys.mac), untrusted);
  }
});

test("the text of a provider that does not neutralise is neutralised", () => {
  const part = { from: 0, next: 1, text: "\u001b[2J\u202egood", last: false };
  assert.equal(decodePart(encodePart(part, keys.mac), 0, keys.mac).text, "·[2J·good");
});

test("the three keys of a job differ", () => {
  const all: Hex[] = Object.values(liveKeys(`0x${"13".repeat(32)}`)) as Hex[];
  assert.equal(new Set(all).size, 3);
});
