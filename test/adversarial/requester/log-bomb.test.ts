import assert from "node:assert/strict";
import { test } from "node:test";
import { PART_CHARS } from "../../../src/protocol/limits.ts";
import type { LivePart } from "../../../src/protocol/task/live-log.ts";
import { encodePart, liveKeys, liveLogPurpose } from "../../../src/protocol/task/live-log.ts";
import { followLog } from "../../../src/roles/job/requester/result/follow-log.ts";
import { newJob, startParties } from "../../support/market/parties.ts";
import { code } from "../../support/parcel/parcels.ts";

const waits = { signal: AbortSignal.timeout(120_000) };
const MOST = 4 * 2 ** 20;

/** A requester that follows the live log of a provider which answers each question with `part`. */
async function following(
  context: Parameters<typeof startParties>[0],
  part: (from: number) => Omit<LivePart, "from">,
) {
  const { t, requester, provider } = await startParties(context);
  const id = await newJob(requester, provider);
  const { publicKeys } = requester.keyring;
  const keys = liveKeys(await provider.keyring.agree(publicKeys.onionKey, liveLogPurpose(id)));
  const reader = { account: requester.account, keys: publicKeys };
  let asked = 0;
  const read = async (from: number) => {
    asked += 1;
    const sealed = await provider.keyring.seal(encodePart({ from, ...part(from) }, keys.mac), reader);
    return Buffer.from(sealed.slice(2), "hex");
  };
  const hosting = await provider.transport.host({
    identity: await provider.transport.meetingPoint(keys.seed),
    blobs: [],
    readers: [publicKeys],
    feeds: [{ id: keys.id, read }],
  });
  t.after(() => hosting.stop());
  const log = async () => {
    let length = 0;
    for await (const text of followLog(requester, id, { follow: true }, waits)) length += text.length;
    return length;
  };
  return { log, asked: () => asked, kept: () => requester.journal.open("requester", id).logged(0, 1e6) };
}

test("a provider's live log without end is kept to four million characters", async (context) => {
  const text = "x".repeat(PART_CHARS);
  const { log, kept } = await following(context, (from) => ({ next: from + 1, text, last: false }));
  const length = await log();
  assert.ok(length >= MOST && length < MOST + 2 * PART_CHARS, `${length} characters`);
  assert.equal(
    kept().reduce((sum, piece) => sum + piece.text.length, 0),
    length,
  );
  assert.equal(await log(), length, "nothing more is asked for, in a later call either");
});

test("a provider's live log that goes on and brings nothing new is refused", async (context) => {
  const { log, asked } = await following(context, (from) => ({ next: from, text: "", last: false }));
  await assert.rejects(log(), code("LOG_UNTRUSTED"));
  assert.equal(asked(), 1);
});
