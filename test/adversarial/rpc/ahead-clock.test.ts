import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Blob } from "../../../src/ports/transport.ts";
import type { Hex, JobId } from "../../../src/protocol/ids.ts";
import { blindKey } from "../../../src/protocol/job/exchange.ts";
import { tokenFor } from "../../../src/protocol/parcel/locator.ts";
import { advance } from "../../../src/roles/job/requester/advance.ts";
import { draftOf } from "../../../src/roles/job/requester/posting/draft.ts";
import { send } from "../../support/chain/chain.ts";
import { startProxy } from "../../support/chain/rpc-proxy.ts";
import { random32 } from "../../support/chain/terms.ts";
import { type Actor, acceptJob, newJob, startParties, submitJob } from "../../support/market/parties.ts";
import { makeBlob } from "../../support/parcel/blob.ts";
import { makeTree } from "../../support/parcel/parcels.ts";

const AHEAD_SECONDS = 7200;
const waits = { signal: AbortSignal.timeout(120_000) };

/** The same node, whose blocks are all two hours younger. */
async function startLiar(rpcUrl: string) {
  return startProxy(rpcUrl, async ({ method, params }) => {
    if (method !== "eth_getBlockByNumber") return undefined;
    const call = { jsonrpc: "2.0", id: 1, method, params };
    const headers = { "content-type": "application/json" };
    const answer = await fetch(rpcUrl, { method: "POST", headers, body: JSON.stringify(call) });
    const { result } = (await answer.json()) as { result: { timestamp: Hex } | null };
    if (result) result.timestamp = `0x${(Number(result.timestamp) + AHEAD_SECONDS).toString(16)}`;
    return { result };
  });
}

/** A provider that has claimed what `make` hands over, and its requester behind such a node. */
async function misled(
  context: TestContext,
  make: (provider: Actor, sessionKey: Hex) => Promise<Blob>,
): Promise<{ id: JobId; requester: Actor }> {
  const { t, chain, requester, provider } = await startParties(context);
  const id = await newJob(requester, provider, { file: { windows: { challenge: "1h" } } });
  const draft = draftOf(requester.journal.open("requester", id))!;
  const accepted = await acceptJob(provider, id);
  const sessionKey = random32();
  const [result, report] = [await make(provider, sessionKey), await makeBlob(provider.home, 1000, "report")];
  const identity = await provider.transport.newIdentity();
  const { publicKeys: keys } = requester.keyring;
  const reader = { ...keys, token: tokenFor(identity.endpoint.token, keys.fingerprint) };
  const hosting = await provider.transport.host({ identity, blobs: [result, report], readers: [reader] });
  t.after(() => hosting.stop());
  const { endpoint } = hosting;
  await submitJob(provider, accepted, { draft, requester, result, report, endpoint, sessionKey });
  const job = await provider.market.job(id);
  await send(provider.market, { kind: "claim", job, blindedKey: blindKey(sessionKey, draft.mask) });
  const liar = await startLiar(chain.node.rpcUrl);
  t.after(liar.stop);
  const market = chain.market(1, { rpcUrl: liar.url });
  const { deadline } = await market.job(id);
  assert.ok((await market.now()) > deadline!, "its window is over by the node's word");
  return { id, requester: { ...requester, market } };
}

const toVerdict = { stopAt: ["Validating" as const] };

test("a provider whose requester's node runs two hours ahead is not paid for noise", async (context) => {
  const { id, requester } = await misled(context, ({ home }) => makeBlob(home, 4000, "noise"));
  const job = await advance(requester, id, toVerdict, waits);
  assert.deepEqual([job.state, job.challenged], ["Validating", true]);
});

test("a node that runs two hours ahead does not have a good result challenged", async (context) => {
  const { id, requester } = await misled(context, async ({ home, parcels }, sessionKey) => {
    const root = await makeTree(home, { model: "weights" }, "out");
    const out = join(home, "result.parcel");
    return (await parcels.pack({ root, paths: ["model"], out, sessionKey })).blob;
  });
  const job = await advance(requester, id, toVerdict, waits);
  assert.deepEqual([job.state, job.challenged], ["Settled", false]);
});
