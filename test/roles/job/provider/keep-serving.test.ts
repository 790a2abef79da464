import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { deliver, hostResult } from "../../../../src/roles/job/provider/deliver.ts";
import { TOO_LATE } from "../../../../src/roles/job/provider/within-run-window.ts";
import { draftOf } from "../../../../src/roles/job/requester/posting/draft.ts";
import { send } from "../../../support/chain/chain.ts";
import { random32 } from "../../../support/chain/terms.ts";
import { acceptJob, newJob, reached, startParties } from "../../../support/market/parties.ts";
import { makeBlob } from "../../../support/parcel/blob.ts";

const waits = { signal: AbortSignal.timeout(120_000) };

/** A provider that delivers the result of an optimistic job, up to its claim. */
async function claimed(context: TestContext) {
  const { t, chain, requester, provider } = await startParties(context);
  const id = await newJob(requester, provider);
  const draft = draftOf(requester.journal.open("requester", id))!;
  const [result, report] = [
    await makeBlob(provider.home, 1000, "result"),
    await makeBlob(provider.home, 1000, "report"),
  ];
  const material = {
    accepted: {
      locator: { mask: draft.mask },
      bundle: { requester: requester.keyring.publicKeys, blob: draft.bundle },
    },
    packed: {
      result: { blob: result, sessionKey: random32() },
      report: { blob: report, sessionKey: random32() },
      reportShare: random32(),
      seedSecret: random32(),
      measurement: { digest: random32(), score: 950_000_000n, salt: random32() },
      identity: await provider.transport.newIdentity(),
    },
    policy: { appeal: "never", keepResults: 86_400 },
  } as unknown as Parameters<typeof deliver>[3];
  const journal = provider.journal.open("provider", id);
  const job = await acceptJob(provider, id);
  const hosting = hostResult(provider, { job, ...material, identity: material.packed.identity }, waits);
  const delivering = deliver(provider, journal, job, { ...material, hosting }, waits);
  const claim = await reached(requester, id, "Claimed");
  const delivered = async () => {
    const made = await delivering;
    assert.ok(typeof made !== "symbol" && made !== TOO_LATE);
    return made;
  };
  return { t, chain, requester, job: claim, delivered };
}

test("a result that its requester settled itself is not served after the job", async (context) => {
  const { requester, job, delivered } = await claimed(context);
  await send(requester.market, { kind: "settle", job });
  const { job: last, keep } = await delivered();
  assert.deepEqual([last.state, keep], ["Settled", undefined]);
});

test("a result that its requester did not settle is still served after the job", async (context) => {
  const { chain, job, delivered } = await claimed(context);
  await chain.node.increaseTime(job.terms.windows.challenge + 1);
  const { job: last, keep } = await delivered();
  assert.equal(last.state, "Settled");
  assert.ok(keep);
  const stop = new AbortController();
  const serving = keep(stop);
  stop.abort();
  await assert.rejects(serving);
});
