import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { roundMessageSchema } from "../../../../src/protocol/federated/market/messages.ts";
import { channelWith } from "../../../../src/roles/federated/market/channel.ts";
import { Board } from "../../../../src/roles/federated/market/requester/board.ts";
import { random32 } from "../../../support/chain/terms.ts";
import { code, newKeyring } from "../../../support/parcel/parcels.ts";

const [job, other] = [random32(), random32()];
const account = `0x${"a1".repeat(20)}` as const;
const keyrings = await Promise.all([1, 2, 3].map(() => newKeyring(account)));
const [requester, provider, rival] = keyrings as [
  (typeof keyrings)[0],
  (typeof keyrings)[0],
  (typeof keyrings)[0],
];
const keyOf = ({ publicKeys }: typeof requester) => publicKeys.onionKey;
const base = `0x${"17".repeat(16)}` as const;
const refused = code("FEDERATED_MESSAGE_INVALID");

test("both ends of a channel derive the same, and no other party, job or direction does", async () => {
  const [there, back] = await Promise.all([
    channelWith(requester, keyOf(provider), job),
    channelWith(provider, keyOf(requester), job),
  ]);
  assert.equal(there.feed, back.feed);
  assert.equal(there.token(base), back.token(base));
  assert.deepEqual(back.open(there.seal({ n: 1 }), z.object({ n: z.number() })), { n: 1 });
  for (const stranger of [
    await channelWith(rival, keyOf(requester), job),
    await channelWith(requester, keyOf(rival), job),
    await channelWith(provider, keyOf(requester), other),
  ]) {
    assert.notEqual(stranger.feed, there.feed);
    assert.notEqual(stranger.token(base), there.token(base));
    assert.throws(() => stranger.open(there.seal({ n: 1 }), z.unknown()), refused);
  }
});

test("a message that was changed, cut, is too long or says something else is refused", async () => {
  const channel = await channelWith(requester, keyOf(provider), job);
  const sealed = channel.seal({ round: 3 });
  assert.deepEqual(channel.open(sealed, roundMessageSchema), { round: 3, ledger: [] });
  for (const length of [0, 11, 27, sealed.length - 1])
    assert.throws(() => channel.open(sealed.subarray(0, length), roundMessageSchema), refused);
  for (let at = 0; at < sealed.length; at++) {
    const changed = Uint8Array.from(sealed);
    changed[at]! ^= 1;
    assert.throws(() => channel.open(changed, roundMessageSchema), refused);
  }
  assert.throws(() => channel.open(new Uint8Array(1 << 20), roundMessageSchema), refused);
  for (const wrong of [{ round: 0 }, { round: 1, more: 1 }, { round: 1, work: {} }, [], "text", null])
    assert.throws(() => channel.open(channel.seal(wrong), roundMessageSchema), refused);
});

test("a provider reads its own message of the round that it waits for, or of a later one", async () => {
  const channel = await channelWith(requester, keyOf(provider), job);
  const board = new Board();
  const feed = board.feedOf(account, channel);
  const stop = new AbortController();
  const early = feed.read(2, stop);
  board.show(1, () => ({ round: 1, ledger: [] }));
  board.show(2, () => ({ round: 2, ledger: [] }));
  assert.equal(channel.open((await early)!, roundMessageSchema).round, 2);
  assert.equal(channel.open((await feed.read(1, stop))!, roundMessageSchema).round, 2);
  assert.equal(board.readBy(account), 2);
  // One that is told nothing waits, and ends with its request.
  board.show(3, () => undefined);
  const never = feed.read(3, stop);
  stop.abort();
  assert.equal(await never, undefined);
  assert.equal(board.readBy(account), 2);
});
