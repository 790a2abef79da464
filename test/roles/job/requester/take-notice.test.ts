import assert from "node:assert/strict";
import { test } from "node:test";
import { aborted } from "../../../../src/async/abort.ts";
import { toHex } from "../../../../src/protocol/bytes.ts";
import type { JobId } from "../../../../src/protocol/ids.ts";
import { encodeNotice, type Notice } from "../../../../src/protocol/task/notice.ts";
import { advance } from "../../../../src/roles/job/requester/advance.ts";
import { openDraft } from "../../../../src/roles/job/requester/posting/draft.ts";
import { declinedIn, noticeIn, takeNotice } from "../../../../src/roles/job/requester/take-notice.ts";
import { newJob, startParties, startProviding } from "../../../support/market/parties.ts";
import { code } from "../../../support/parcel/parcels.ts";

const waits = { signal: AbortSignal.timeout(120_000) };
const declined = (jobId: JobId, reason = "it pays too little"): Notice => ({
  ...{ version: 1, kind: "declined", jobId, code: "PRICE_TOO_LOW", reason, at: 1_790_000_000 },
});

test("a requester keeps the first notice that its provider signed for the job, sealed or not", async (context) => {
  const { requester, provider } = await startParties(context);
  const id = await newJob(requester, provider, { posted: false });
  const { journal, draft } = openDraft(requester.journal, id);
  const take = (bytes: Uint8Array) => takeNotice(requester, journal, draft, bytes);
  const by = (signer: typeof provider, notice: Notice) => encodeNotice(signer.market.signNotice(notice));

  const untrusted = code("NOTICE_UNTRUSTED");
  await assert.rejects(take(by(requester, declined(id))), untrusted, "signed by another account");
  await assert.rejects(take(by(provider, declined(toHex(Buffer.alloc(32, 1)) as JobId))), untrusted);
  const { notice, signature } = provider.market.signNotice(declined(id));
  await assert.rejects(take(encodeNotice({ notice: { ...notice, reason: "" }, signature })), untrusted);
  await assert.rejects(take(Buffer.from("no notice")));
  await assert.rejects(take(Buffer.from("{")), untrusted);
  assert.equal(noticeIn(journal), undefined);

  const party = { account: requester.account, keys: requester.keyring.publicKeys };
  const sealed = await provider.keyring.seal(by(provider, declined(id)), party);
  assert.equal((await take(Buffer.from(sealed.slice(2), "hex"))).reason, "it pays too little");
  assert.equal((await take(by(provider, declined(id, "another")))).reason, "it pays too little");
  assert.equal(declinedIn(journal)?.code, "PRICE_TOO_LOW");
});

test("a requester stops at a decline that comes before it sees its own job", async (context) => {
  const { t, requester, provider } = await startParties(context);
  startProviding(t, provider, { requesters: { allow: [provider.account] } });
  const id = await newJob(requester, provider, { posted: false });
  const { market } = requester;
  /** Sees nothing until the call is aborted. */
  const blind: typeof market.follow = async function* (seen, { signal } = {}) {
    await aborted(signal!);
    signal!.throwIfAborted();
    yield await market.job(seen);
  };
  const requesting = { ...requester, market: { ...market, account: market.account, follow: blind } };
  const { state } = await advance(requesting, id, { stopWhenDeclined: true }, waits);
  assert.equal(state, "Posted");
  assert.equal(declinedIn(requester.journal.open("requester", id))?.code, "REQUESTER_NOT_ALLOWED");
});
