import assert from "node:assert/strict";
import { after, before, beforeEach, describe, mock, type TestContext, test } from "node:test";
import type { MarketOptions } from "../../../src/chain/market.ts";
import type { ChainWarning } from "../../../src/chain/warnings.ts";
import { isIchainError } from "../../../src/errors/error.ts";
import type { Market } from "../../../src/ports/market.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import { send, someOffer, startChain, type TestChain } from "../../support/chain/chain.ts";
import { controls } from "../../support/chain/evm.ts";
import { alter, lies, type Meddle, startProxy } from "../../support/chain/rpc-proxy.ts";
import { requesterTip } from "../../support/chain/secrets.ts";
import { someTerms } from "../../support/chain/terms.ts";

const HOURS = 3_600;
const nodeTimes = { timeoutMs: 400, pauseMs: 5_000, stallMs: 60_000, againMs: [20, 50] };
const disagree = (error: unknown) => isIchainError(error, "CHAIN_NODES_DISAGREE");

describe("a hostile node", () => {
  let chain: TestChain;
  let requester: Market;
  let provider: Market;
  let warnings: ChainWarning[];
  before(async () => {
    chain = await startChain();
    [requester, provider] = [chain.market(1), chain.market(2)];
    await send(provider, { kind: "publish", offer: someOffer() });
    await send(provider, { kind: "deposit", amount: 10n ** 18n });
  });
  beforeEach(() => {
    warnings = [];
  });
  after(() => chain.stop());

  const kinds = () => warnings.map(({ kind }) => kind);
  const post = async (): Promise<Job> => {
    const terms = someTerms(requester.account, provider.account);
    await send(requester, { kind: "post", terms, seedTip: requesterTip, sealed: "0x" });
    return requester.job(requester.jobIdOf(terms));
  };
  const nodes = async (t: TestContext, meddles: readonly (Meddle | undefined)[]) => {
    const proxies = await Promise.all(
      meddles.map((meddle) => startProxy(chain.node.rpcUrl, meddle ?? (() => undefined))),
    );
    for (const proxy of proxies) t.after(proxy.stop);
    return proxies;
  };
  /** A market behind nodes that meddle; undefined is an honest one. */
  const behind = async (
    t: TestContext,
    account: number | undefined,
    meddles: readonly (Meddle | undefined)[],
    overrides: Partial<MarketOptions> = {},
  ): Promise<Market> => {
    const [rpcUrl = "", ...rpcUrls] = (await nodes(t, meddles)).map(({ url }) => url);
    const warn = (warning: ChainWarning) => warnings.push(warning);
    return chain.market(account, { rpcUrl, rpcUrls, nodeTimes, warn, ...overrides });
  };
  const change = (method: string, how: Parameters<typeof alter>[2]) => alter(chain.node.rpcUrl, method, how);

  test("that is alone and wants a fortune for gas gets nothing signed", async (t) => {
    const market = await behind(t, 3, [lies.hugeFee]);
    await assert.rejects(market.prepare({ kind: "deposit", amount: 1n }), (error) =>
      isIchainError(error, "FEE_TOO_HIGH"),
    );
  });

  test("and a wall clock that is hours fast cannot have a deadline pass early", async (t) => {
    const job = await post();
    const wrong = Date.now() + 100 * HOURS * 1000;
    mock.method(Date, "now", () => wrong);
    t.after(() => mock.restoreAll());
    const market = await behind(t, 3, [undefined, undefined]);
    assert.ok((await market.now()) < job.deadline!);
  });

  test("that adds hours to its blocks' times is not followed by one that asks another too", async (t) => {
    const later = change("eth_getBlockByNumber", (block) => ({
      ...block,
      timestamp: `0x${(Number(block.timestamp) + 2 * HOURS).toString(16)}`,
    }));
    const truth = await requester.now();
    await assert.rejects((await behind(t, undefined, [undefined, later])).now(), disagree);
    assert.deepEqual(kinds(), ["nodes-differ"]);
    const decided = await (await behind(t, undefined, [later, undefined, undefined])).now();
    assert.ok(Math.abs(decided - truth) < 60);
  });

  for (const [name, lie] of [
    ["withholds what happened", lies.withholdLogs],
    ["tells what did not happen", "altered"],
  ] as const) {
    test(`that ${name} is not believed against another, and outvoted by two`, async (t) => {
      const job = await post();
      await send(provider, { kind: "accept", job });
      const liar =
        lie === "altered"
          ? change("eth_getLogs", (logs: { topics: string[] }[]) =>
              logs.map((log) => ({ ...log, topics: log.topics.with(1, `0x${"99".repeat(32)}`) })),
            )
          : lie;
      await assert.rejects((await behind(t, undefined, [liar, undefined])).job(job.id), disagree);
      const market = await behind(t, undefined, [liar, undefined, undefined]);
      assert.equal((await market.job(job.id)).state, "Accepted");
    });
  }

  test("that keeps a transaction back cannot keep it from the other node", async (t) => {
    const market = await behind(t, 4, [lies.dropTransactions, undefined]);
    const before = await market.balance(market.account);
    const { fee } = await send(market, { kind: "deposit", amount: 5n });
    assert.equal(await requester.balance(market.account), before - 5n - fee);
  });

  test("that denies a receipt has nobody send a call twice", async (t) => {
    const { nonce } = controls(chain.node);
    const market = await behind(t, 5, [undefined, lies.withholdReceipts, undefined]);
    const start = await nonce(market.account);
    await send(market, { kind: "deposit", amount: 5n });
    assert.equal(await nonce(market.account), start + 1);

    const told = new AbortController();
    const two = await behind(t, 5, [undefined, lies.withholdReceipts], { warn: () => told.abort() });
    const tx = await two.prepare({ kind: "deposit", amount: 5n });
    await assert.rejects(two.broadcast(tx, told), { name: "AbortError" });
    assert.equal(await nonce(market.account), start + 2);
  });

  test("that alters a receipt does not make a success of a failure", async (t) => {
    const failed = change("eth_getTransactionReceipt", (receipt) => receipt && { ...receipt, status: "0x0" });
    const market = await behind(t, 6, [failed, undefined, undefined]);
    await send(market, { kind: "deposit", amount: 5n });
  });

  test("that says that no call would work cannot talk anybody out of one", async (t) => {
    await send(await behind(t, 7, [lies.refuseEstimates, undefined, undefined]), {
      kind: "deposit",
      amount: 5n,
    });
    const two = await behind(t, 7, [lies.refuseEstimates, undefined]);
    await assert.rejects(two.prepare({ kind: "deposit", amount: 5n }), disagree);
  });

  test("that lies about stake and coin is not believed", async (t) => {
    const rich = change("eth_getBalance", () => "0xffffffffffffffff");
    await assert.rejects((await behind(t, 8, [undefined, rich])).balance(provider.account), disagree);
    const more = change("eth_call", (answer: string) => `${answer.slice(0, -1)}f`);
    const market = await behind(t, 8, [undefined, more, undefined]);
    assert.deepEqual(await market.offer(provider.account), await requester.offer(provider.account));
    assert.equal(
      (await market.leaving(provider.account)).amount,
      (await requester.leaving(provider.account)).amount,
    );
  });

  test("that names a nonce far ahead, or a fee of nothing, holds nothing up", async (t) => {
    const far = change("eth_getTransactionCount", (count, { params }) =>
      params[1] === "pending" ? "0xffff" : count,
    );
    await send(await behind(t, 9, [far, undefined]), { kind: "deposit", amount: 1n });
    const none = change("eth_maxPriorityFeePerGas", () => "0x0");
    await send(await behind(t, 9, [none, lies.hugeFee, undefined]), { kind: "deposit", amount: 1n });
  });

  for (const [name, lie] of [
    ["hangs", lies.hang],
    ["hangs up", () => "hang up"],
    ["answers garbage", lies.garbage],
    ["is on another chain", ({ method }) => (method === "eth_chainId" ? { result: "0x1" } : undefined)],
  ] as readonly (readonly [string, Meddle])[]) {
    test(`that ${name} costs one time-out, and the other goes on`, async (t) => {
      const job = await post();
      const market = await behind(t, 2, [lie, undefined]);
      assert.equal((await market.job(job.id)).state, "Posted");
      await send(market, { kind: "accept", job });
      assert.equal((await market.job(job.id)).state, "Accepted");
      assert.ok(kinds().every((kind) => kind === "node-silent"));
    });
  }

  test("that stands still is waited for, and then left behind", async (t) => {
    const job = await post();
    const frozen = await frozenAt(chain.node.rpcUrl);
    await send(provider, { kind: "accept", job });
    await controls(chain.node).mine(3);
    const patient = await behind(t, undefined, [frozen, undefined]);
    assert.equal((await patient.job(job.id)).state, "Posted");
    const market = await behind(t, undefined, [frozen, undefined], {
      nodeTimes: { ...nodeTimes, stallMs: 0 },
    });
    assert.equal((await market.job(job.id)).state, "Accepted");
    assert.deepEqual(kinds(), ["node-behind"]);
    const three = await behind(t, undefined, [frozen, undefined, undefined]);
    assert.equal((await three.job(job.id)).state, "Accepted");
  });

  test("that stands still while it tells of receipts does not hide a job from the one that has just posted it", async (t) => {
    const frozen = await frozenAt(chain.node.rpcUrl);
    let looks = 0;
    let told = false;
    const receipts = change("eth_getTransactionReceipt", (receipt) => {
      told ||= receipt !== null;
      return receipt;
    });
    const standing: Meddle = (call) => {
      if (call.method === "eth_getTransactionReceipt") return receipts(call);
      if (told && call.method === "eth_getBlockByNumber" && call.params[0] === "latest") looks += 1;
      return looks > 3 ? undefined : frozen(call);
    };
    const market = await behind(t, 1, [standing, undefined], { confirmations: 1 });
    const terms = someTerms(market.account, provider.account);
    await send(market, { kind: "post", terms, seedTip: requesterTip, sealed: "0x" });
    assert.equal((await market.job(market.jobIdOf(terms))).state, "Posted");
  });

  test("that runs ahead on blocks of its own is not followed", async (t) => {
    const ahead = change("eth_getBlockByNumber", (block, { params }) =>
      params[0] === "latest"
        ? {
            ...block,
            number: `0x${(Number(block.number) + 50).toString(16)}`,
            hash: `0x${"77".repeat(32)}`,
            timestamp: `0x${(Number(block.timestamp) + 2 * HOURS).toString(16)}`,
          }
        : block,
    );
    const truth = await requester.now();
    for (const meddles of [
      [undefined, ahead],
      [ahead, undefined, undefined],
    ]) {
      const now = await (await behind(t, undefined, meddles)).now();
      assert.ok(Math.abs(now - truth) < 60);
    }
  });
});

/** A node that has heard of no block since now. */
async function frozenAt(rpcUrl: string): Promise<Meddle> {
  const { connectRpc } = await import("../../../src/chain/rpc/rpc.ts");
  const block = (await connectRpc(rpcUrl).send("eth_getBlockByNumber", ["latest", false])) as {
    number: string;
  };
  const last = Number(block.number);
  return ({ method, params }) => {
    if (method !== "eth_getBlockByNumber") return undefined;
    if (params[0] === "latest") return { result: block };
    return Number(params[0]) > last ? { result: null } : undefined;
  };
}
