import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { advance } from "../../../src/roles/job/requester/advance.ts";
import { startChain } from "../../support/chain/chain.ts";
import { type Meddle, startProxy } from "../../support/chain/rpc-proxy.ts";
import { lifo } from "../../support/lifo.ts";
import { enlist, newActor, newJob, startProviding } from "../../support/market/parties.ts";

const waits = { signal: AbortSignal.timeout(120_000) };
/** Calls that are answered so before the fault is over; a job needs more. */
const CALLS = 40;

const faults: Readonly<Record<string, Meddle>> = {
  "gives no answer": () => "hang up",
  "takes its time": async () => {
    await delay(200);
    return undefined;
  },
  "says that it was asked too often": () => ({ error: { code: -32005, message: "rate limit exceeded" } }),
};

for (const [does, fault] of Object.entries(faults)) {
  test(`a job is posted and accepted although the only node of both parties ${does} for a while`, async (context) => {
    const t = lifo(context);
    const chain = await startChain();
    t.after(() => chain.stop());
    let left = 0;
    const proxy = await startProxy(chain.node.rpcUrl, (call) => {
      if (left === 0) return undefined;
      left -= 1;
      return fault(call);
    });
    t.after(proxy.stop);
    const market = (index: number) => chain.market(index, { rpcUrl: proxy.url });
    const requester = await newActor(t, chain, 1, { market: market(1) });
    const provider = await newActor(t, chain, 2, { market: market(2) });
    await enlist(provider);
    const { stop } = startProviding(t, provider);
    const id = await newJob(requester, provider, { posted: false });
    left = CALLS;
    const job = await advance(requester, id, { stopAt: ["Accepted"] }, waits);
    assert.deepEqual([job.state, left], ["Accepted", 0]);
    await stop();
    const { terms } = job;
    const offer = await requester.market.offer(terms.provider, waits);
    assert.equal(offer?.lockedStake, terms.providerStake, "accepted once");
  });
}
