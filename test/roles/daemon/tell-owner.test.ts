import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openJournal } from "../../../src/journal/journal.ts";
import { silentLogger } from "../../../src/ports/logger.ts";
import type { Notification } from "../../../src/ports/notifier.ts";
import { COIN } from "../../../src/protocol/amounts.ts";
import type { Address, JobId } from "../../../src/protocol/ids.ts";
import { fold } from "../../../src/protocol/job/fold.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import type { Duty } from "../../../src/roles/daemon/daemon.ts";
import { tellingOwner } from "../../../src/roles/daemon/tell-owner.ts";
import { random32, someTerms } from "../../support/chain/terms.ts";
import { scratch } from "../../support/parcel/parcels.ts";

const account: Address = `0x${"ab".repeat(20)}`;
const options = { signal: new AbortController().signal };

/** What a provider's owner is told of a job that ended so. */
async function told(
  t: TestContext,
  change: Partial<Job>,
  { accepted = true, act = "work" as "work" | "giveUp" } = {},
) {
  const id: JobId = random32();
  const terms = someTerms(`0x${"cd".repeat(20)}`, account, { price: 5n * 10n ** 16n });
  const posted = fold(undefined, {
    ...{ kind: "posted", id, terms, seedTip: random32(), sealed: "0x", block: 1 },
  })!;
  const journal = openJournal(join(await scratch(t), "journal.db"));
  t.after(() => journal.close());
  const record = journal.open("provider", id);
  if (accepted) await record.step("accept", { prepare: () => 1, act: () => 1 });
  const context = {
    ...{ account, journal, logger: silentLogger },
    market: { job: async () => ({ ...posted, ...change }), token: async () => COIN },
  } as unknown as Parameters<typeof tellingOwner>[0];
  const notifications: Notification[] = [];
  const duty: Duty = {
    ...{ role: "provider", watch: async function* () {}, wants: () => true },
    ...{ work: async () => undefined, giveUp: async () => undefined },
  };
  const notifier = { tell: (one: Notification) => void notifications.push(one) };
  await tellingOwner(context, notifier, duty)[act](id, options);
  return notifications.map(({ event, job, text }) => [event, job === id, text.replace(/^Job \w+, /, "")]);
}

test("an owner is told what a job came to: paid, unpaid, or at the cost of stake", async (t) => {
  assert.deepEqual(await told(t, { state: "Settled", verdict: "pass" }), [
    ["done", true, "as its provider: ended Settled, paid 0.05 coin"],
  ]);
  assert.deepEqual(await told(t, { state: "Refunded", cause: "released" }, { act: "giveUp" }), [
    ["failed", true, "as its provider: ended released, unpaid"],
  ]);
  assert.deepEqual(await told(t, { state: "Refunded", cause: "runMissed" }), [
    ["slashed", true, "as its provider: ended runMissed, 0.01 coin of stake lost"],
  ]);
});

test("an owner is called when a job is given up before it is over", async (t) => {
  const [given] = await told(t, { state: "Validating" }, { act: "giveUp" });
  assert.deepEqual(given?.slice(0, 2), ["needs-you", true]);
  assert.deepEqual(await told(t, { state: "Posted" }, { act: "giveUp", accepted: false }), []);
});

test("an owner is not told of a job that was declined, or goes on", async (t) => {
  assert.deepEqual(await told(t, { state: "Cancelled" }, { accepted: false }), []);
  assert.deepEqual(await told(t, { state: "Accepted" }), []);
});
