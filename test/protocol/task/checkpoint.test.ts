import assert from "node:assert/strict";
import { test } from "node:test";
import { isIchainError } from "../../../src/errors/error.ts";
import type { Hex } from "../../../src/protocol/ids.ts";
import {
  type Announcement,
  checkpointKeys,
  checkpointNumber,
  decodeAnnouncement,
  encodeAnnouncement,
} from "../../../src/protocol/task/checkpoint.ts";
import { liveKeys } from "../../../src/protocol/task/live-log.ts";

const secret: Hex = `0x${"11".repeat(32)}`;
const keys = checkpointKeys(secret);
const root: Hex = `0x${"ab".repeat(32)}`;
const untrusted = (error: unknown) =>
  isIchainError(error, "CHECKPOINT_UNTRUSTED") && error.class === "untrusted";
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const shown = (announcement: Announcement) =>
  JSON.parse(new TextDecoder().decode(encodeAnnouncement(announcement, keys.mac))) as Record<string, unknown>;

test("a checkpoint is named by a plain number", () => {
  assert.deepEqual(
    ["0", "7", "999999999999999", "07", "1e3", "-1", "", "7.part", " 7", "٣", "1000000000000000"].map(
      checkpointNumber,
    ),
    [0, 7, 999_999_999_999_999, ...Array.from({ length: 8 }, () => undefined)],
  );
});

test("an announcement is decoded as it was encoded, and asked for by the least number", () => {
  for (const said of [
    { number: 5, root, size: 1000 },
    { number: 5, refused: "CHECKPOINT_UNSAFE" },
  ] as const) {
    const bytes = encodeAnnouncement(said, keys.mac);
    assert.deepEqual(decodeAnnouncement(bytes, 5, keys.mac), said);
    assert.deepEqual(decodeAnnouncement(bytes, 0, keys.mac), said);
    assert.throws(() => decodeAnnouncement(bytes, 6, keys.mac), untrusted);
    assert.throws(() => decodeAnnouncement(bytes, 5, checkpointKeys(root).mac), untrusted);
  }
});

test("an announcement that was changed, or has anything else in it, is refused", () => {
  const good = shown({ number: 5, root, size: 1000 });
  const bad = [
    ...[{ number: 6 }, { root: secret }, { size: 1001 }, { size: 0 }, { number: 1e15 }, { more: 1 }].map(
      (change) => bytesOf({ ...good, ...change }),
    ),
    bytesOf({ version: 1, number: 5, refused: "CHECKPOINT_UNSAFE", mac: good.mac }),
    bytesOf({ ...shown({ number: 5, refused: "CHECKPOINT_UNSAFE" }), refused: "INTERNAL" }),
    bytesOf([]),
    Uint8Array.of(0xff),
    new Uint8Array(1 << 17),
  ];
  for (const bytes of bad) assert.throws(() => decodeAnnouncement(bytes, 0, keys.mac), untrusted);
});

test("every checkpoint of every job has a key of its own, and none is one of the live log", () => {
  const { seed, id, mac } = liveKeys(secret);
  const all = [
    ...[seed, id, mac, keys.id, keys.mac, keys.parcelKey(1), keys.parcelKey(2)],
    checkpointKeys(root).parcelKey(1),
  ];
  assert.equal(new Set(all).size, all.length);
});
