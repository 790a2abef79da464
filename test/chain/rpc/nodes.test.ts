import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import type { ChainWarning } from "../../../src/chain/warnings.ts";
import { isIchainError } from "../../../src/errors/error.ts";
import type { Market } from "../../../src/ports/market.ts";
import { send, someOffer, startChain, type TestChain } from "../../support/chain/chain.ts";
import { controls } from "../../support/chain/evm.ts";
import { type Meddle, startProxy } from "../../support/chain/rpc-proxy.ts";
import { requesterTip } from "../../support/chain/secrets.ts";
import { someTerms } from "../../support/chain/terms.ts";

const nodeTimes = { timeoutMs: 2_000, pauseMs: 20, stallMs: 60_000, againMs: [20, 50] };

describe("a market behind several nodes", () => {
  let chain: TestChain;
  let requester: Market;
  let provider: Market;
  let warnings: ChainWarning[] = [];
  before(async () => {
    chain = await startChain();
    [requester, provider] = [chain.market(1), chain.market(2)];
    await send(provider, { kind: "publish", offer: someOffer() });
    await send(provider, { kind: "deposit", amount: 10n ** 18n });
  });
  after(() => chain.stop());

  const behind = async (t: TestContext, account: number | undefined, meddles: readonly Meddle[]) => {
    const proxies = await Promise.all(meddles.map((meddle) => startProxy(chain.node.rpcUrl, meddle)));
    for (const proxy of proxies) t.after(proxy.stop);
    const [rpcUrl = "", ...rpcUrls] = proxies.map(({ url }) => url);
    warnings = [];
    const warn = (warning: ChainWarning) => warnings.push(warning);
    return { market: chain.market(account, { rpcUrl, rpcUrls, nodeTimes, warn }), proxies };
  };
  const honest: Meddle = () => undefined;
  const post = async (market: Market) => {
    const terms = someTerms(requester.account, provider.account);
    await send(market, { kind: "post", terms, seedTip: requesterTip, sealed: "0x" });
    return market.jobIdOf(terms);
  };

  test("is undone and redone by a reorganisation as one behind a single node", async (t) => {
    const { market } = await behind(t, undefined, [honest, honest]);
    const evm = controls(chain.node);
    const kept = await post(requester);
    const snapshot = await evm.snapshot();
    const lost = await post(requester);
    assert.equal((await market.job(lost)).state, "Posted");
    await evm.revert(snapshot);
    await evm.mine(3);
    assert.equal((await market.job(kept)).state, "Posted");
    await assert.rejects(market.job(lost), (error) => isIchainError(error, "JOB_UNKNOWN"));
    assert.deepEqual(warnings, []);
  });

  test("sends each of many calls once, and each to every node", async (t) => {
    const { market, proxies } = await behind(t, 4, [honest, honest, honest]);
    const { nonce } = controls(chain.node);
    const start = await nonce(market.account);
    const amounts = Array.from({ length: 8 }, (_, i) => BigInt(i + 1));
    const receipts = await Promise.all(amounts.map((amount) => send(market, { kind: "deposit", amount })));
    assert.equal(new Set(receipts.map(({ hash }) => hash)).size, amounts.length);
    assert.equal(await nonce(market.account), start + amounts.length);
    for (const { calls } of proxies) {
      assert.ok(calls.some(({ method }) => /^eth_(sendRaw|getTransactionByHash)/.test(method)));
    }
  });

  test("follows the newest block that enough of them have", async (t) => {
    const evm = controls(chain.node);
    const height = await evm.height();
    await evm.mine();
    const lagging: Meddle = async ({ method, params }) => {
      if (method !== "eth_getBlockByNumber" || params[0] !== "latest") return undefined;
      const body = { jsonrpc: "2.0", id: 1, method, params: [`0x${height.toString(16)}`, false] };
      const headers = { "content-type": "application/json" };
      const answer = await fetch(chain.node.rpcUrl, { method: "POST", headers, body: JSON.stringify(body) });
      return (await answer.json()) as object;
    };
    const id = await post(requester);
    const two = await behind(t, undefined, [lagging, honest]);
    await assert.rejects(two.market.job(id), (error) => isIchainError(error, "JOB_UNKNOWN"));
    const three = await behind(t, undefined, [lagging, honest, honest]);
    assert.equal((await three.market.job(id)).state, "Posted");
    assert.deepEqual(warnings, []);
  });

  test("asks a node again that was away once it is back, and waits for none that is", async (t) => {
    let away = true;
    const back = Promise.withResolvers<void>();
    const flaky: Meddle = ({ method }) => {
      if (away) return "hang up";
      if (method !== "eth_chainId") back.resolve();
      return undefined;
    };
    const { market } = await behind(t, undefined, [flaky, honest]);
    await market.now();
    away = false;
    let returned = false;
    void back.promise.then(() => {
      returned = true;
    });
    while (!returned) await market.now();
    assert.deepEqual(
      warnings.map(({ kind }) => kind),
      ["node-silent"],
    );
  });

  test("says that its nodes are on another chain only when all are", async (t) => {
    const other: Meddle = ({ method }) => (method === "eth_chainId" ? { result: "0x1" } : undefined);
    const { market } = await behind(t, undefined, [other, other]);
    await assert.rejects(market.start(), (error) => isIchainError(error, "CHAIN_MISMATCH"));
    const mixed = await behind(t, undefined, [other, honest, honest]);
    await mixed.market.start();
  });
});
