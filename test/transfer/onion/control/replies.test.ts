import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isIchainError } from "../../../../src/errors/error.ts";
import {
  MAX_LINE_BYTES,
  MAX_REPLY_LINES,
  type Reply,
  ReplyReader,
} from "../../../../src/transfer/onion/control/replies.ts";

const TRANSCRIPT = [
  "250-version=0.4.9.11\r\n250 OK\r\n",
  "250+ns/all=\r\nr one\r\n..dotted\r\n.\r\n250 OK\r\n",
  "650 HS_DESC UPLOADED abc UNKNOWN $F0\r\n",
  "552 Unknown Onion Service\r\n",
].join("");

const REPLIES: readonly Reply[] = [
  { code: 250, lines: ["version=0.4.9.11", "OK"] },
  { code: 250, lines: ["ns/all=\nr one\n.dotted", "OK"] },
  { code: 650, lines: ["HS_DESC UPLOADED abc UNKNOWN $F0"] },
  { code: 552, lines: ["Unknown Onion Service"] },
];

test("replies are the same however their bytes are split", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(TRANSCRIPT.length)), (cuts) => {
      const reader = new ReplyReader();
      const edges = [0, ...cuts.sort((a, b) => a - b), TRANSCRIPT.length];
      const replies = edges.slice(1).flatMap((end, i) => reader.push(TRANSCRIPT.slice(edges[i], end)));
      assert.deepEqual(replies, REPLIES);
    }),
  );
});

test("a reply beyond the bounds, or without a status code, is refused", () => {
  const refused = (...chunks: string[]) => {
    const reader = new ReplyReader();
    assert.throws(
      () => chunks.forEach((chunk) => void reader.push(chunk)),
      (error) => isIchainError(error, "TOR_PROTOCOL"),
    );
  };
  refused("2".repeat(MAX_LINE_BYTES + 1));
  refused(`250 ${"x".repeat(MAX_LINE_BYTES)}\r\n`);
  refused("250-more\r\n".repeat(MAX_REPLY_LINES + 1));
  refused("250+data=\r\n", "x\r\n".repeat(MAX_REPLY_LINES + 1));
  refused("not a reply\r\n");
});
