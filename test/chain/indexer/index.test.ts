import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, type TestContext, test } from "node:test";
import { Wallet } from "ethers";
import { artifactOf } from "../../../src/chain/abi/artifacts.ts";
import { openDatabase } from "../../../src/chain/database.ts";
import { signKeys } from "../../../src/chain/keys.ts";
import { connectRpc } from "../../../src/chain/rpc/rpc.ts";
import { isIchainError } from "../../../src/errors/error.ts";
import type { Market } from "../../../src/ports/market.ts";
import { toHex } from "../../../src/protocol/bytes.ts";
import type { Hex } from "../../../src/protocol/ids.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import type { Offer } from "../../../src/protocol/offer.ts";
import { send, someOffer, startChain, type TestChain } from "../../support/chain/chain.ts";
import { type Meddle, startProxy } from "../../support/chain/rpc-proxy.ts";
import { requesterTip } from "../../support/chain/secrets.ts";
import { someTerms } from "../../support/chain/terms.ts";

const hasCode = (code: string) => (error: unknown) => isIchainError(error, code);

describe("reading the market", () => {
  let chain: TestChain;
  let requester: Market;
  let provider: Market;
  before(async () => {
    chain = await startChain({ accounts: 20 });
    [requester, provider] = [chain.market(1), chain.market(2)];
    await send(provider, { kind: "publish", offer: someOffer() });
    await send(provider, { kind: "deposit", amount: 10n ** 18n });
  });
  after(() => chain.stop());

  const post = async (overrides = {}) => {
    const terms = someTerms(requester.account, provider.account, overrides);
    await send(requester, { kind: "post", terms, seedTip: requesterTip, sealed: "0x" });
    return requester.jobIdOf(terms);
  };

  const proxied = async (t: TestContext, meddle: Meddle) => {
    const proxy = await startProxy(chain.node.rpcUrl, meddle);
    t.after(proxy.stop);
    return proxy;
  };

  test("a job is yielded once more when its deadline passes, and can be left at once", async () => {
    const now = await requester.now();
    const id = await post({ acceptBy: now + 2 });
    const states: [Job["state"], boolean][] = [];
    for await (const job of requester.follow(id)) {
      const over = (await requester.now()) > job.deadline!;
      states.push([job.state, over]);
      if (over) await send(chain.market(5), { kind: "cancel", job });
    }
    assert.deepEqual(states, [
      ["Posted", false],
      ["Posted", true],
      ["Cancelled", false],
    ]);
  });

  test("who follows nothing is told so, who waits can be called off", async () => {
    const nothing = requester.follow(`0x${"00".repeat(32)}`)[Symbol.asyncIterator]();
    await assert.rejects(nothing.next(), hasCode("JOB_UNKNOWN"));
    const controller = new AbortController();
    const following = requester.follow(await post(), { signal: controller.signal })[Symbol.asyncIterator]();
    await following.next();
    const waiting = following.next();
    controller.abort();
    await assert.rejects(waiting, { name: "AbortError" });
  });

  test("stopping a market ends what waits on it", async () => {
    const market = chain.market(undefined);
    const watching = market.watch({ requester: chain.node.accounts[9]!.address })[Symbol.asyncIterator]();
    const waiting = watching.next();
    await market.now();
    await market.stop();
    await assert.rejects(waiting, { name: "AbortError" });
  });

  test("prefixes that fit several jobs, or none, are no names", async () => {
    for (let i = 0; i < 17; i++) await post();
    const ids = (await requester.jobs({ requester: requester.account })).map(({ id }) => id.slice(2, 3));
    const twice = ids.find((digit, i) => ids.indexOf(digit) !== i)!;
    await assert.rejects(requester.resolveJob(twice), hasCode("JOB_AMBIGUOUS"));
    for (const bad of ["", "0x", "zz", "' OR 1=1", "f".repeat(65)]) {
      await assert.rejects(requester.resolveJob(bad), hasCode("JOB_UNKNOWN"));
    }
  });

  test("a sync that is killed goes on where it was, and ends in the same index", async (t) => {
    await post();
    await connectRpc(chain.node.rpcUrl).send("hardhat_mine", ["0x1000", "0x0"]);
    const last = await post();
    const database = chain.database();
    const second = Promise.withResolvers<void>();
    let ranges = 0;
    const proxy = await proxied(t, async ({ method }) => {
      if (method !== "eth_getLogs" || ++ranges !== 2) return undefined;
      second.resolve();
      return new Promise(() => undefined);
    });
    const { chainId } = chain.node;
    const { addresses } = chain;
    const options = JSON.stringify({ rpcUrl: proxy.url, chainId, addresses, database });
    const child = fork(new URL("../../support/chain/sync-child.ts", import.meta.url), [options]);
    await second.promise;
    child.kill("SIGKILL");
    await once(child, "exit");
    const before = proxy.calls.filter(({ method }) => method === "eth_getLogs");
    proxy.calls.length = 0;

    const market = chain.market(undefined, { database, rpcUrl: proxy.url });
    const resumed = await market.jobs({});
    const [first] = proxy.calls.filter(({ method }) => method === "eth_getLogs");
    assert.deepEqual(first?.params[0].fromBlock, before[1]?.params[0].fromBlock);
    assert.deepEqual(resumed, await chain.market(undefined).jobs({}));
    assert.equal(resumed.at(-1)?.id, last);
  });

  test("a node that grants only small ranges is asked for small ones", async (t) => {
    const blocks = ({ fromBlock, toBlock }: Range) => Number(toBlock) - Number(fromBlock) + 1;
    const proxy = await proxied(t, ({ method, params }) =>
      method === "eth_getLogs" && blocks(params[0]) > 100
        ? { error: { code: -32005, message: "query returned more than 10000 results" } }
        : undefined,
    );
    const market = chain.market(undefined, { rpcUrl: proxy.url });
    assert.deepEqual(await market.jobs({}), await chain.market(undefined).jobs({}));
  });

  test("an outage of the node is waited out by who follows", async (t) => {
    let down = false;
    const proxy = await proxied(t, () => (down ? "hang up" : undefined));
    const market = chain.market(undefined, { rpcUrl: proxy.url });
    const id = await post();
    const following = market.follow(id)[Symbol.asyncIterator]();
    assert.equal((await following.next()).value.state, "Posted");
    down = true;
    const next = following.next();
    await send(provider, { kind: "accept", job: await provider.job(id) });
    proxy.calls.length = 0;
    while (proxy.calls.length < 6) await new Promise(setImmediate);
    down = false;
    assert.equal((await next).value.state, "Accepted");
    await following.return?.();
  });

  test("a node that makes up jobs, logs or nonsense convinces nobody", async (t) => {
    const id = await post();
    const forged = `0x${"99".repeat(32)}`;
    let lie: (log: Record<string, unknown>) => unknown = (log) => log;
    const proxy = await proxied(t, async ({ method, params }) => {
      if (method !== "eth_getLogs") return undefined;
      const logs = (await connectRpc(chain.node.rpcUrl).send(method, params)) as Record<string, unknown>[];
      return { result: logs.map(lie) };
    });
    const read = () => chain.market(undefined, { rpcUrl: proxy.url });
    // Another name for a job's terms.
    lie = (log) => ({
      ...log,
      topics: (log.topics as string[]).map((topic) => (topic === id ? forged : topic)),
    });
    await assert.rejects(read().job(forged as Hex), hasCode("JOB_UNKNOWN"));
    // Another contract's logs, cut data, huge data.
    lie = (log) => ({ ...log, address: chain.node.accounts[9]!.address });
    assert.deepEqual(await read().jobs({}), []);
    lie = (log) => ({ ...log, data: (log.data as string).slice(0, 66) });
    assert.deepEqual(await read().jobs({}), []);
    lie = (log) => ({ ...log, data: `0x${"00".repeat(100_000)}` });
    assert.deepEqual(await read().jobs({}), []);
    for (const nonsense of [null, 7, { topics: "x" }, { blockNumber: "-1" }, []]) {
      lie = () => nonsense;
      await assert.rejects(read().jobs({}), hasCode("CHAIN_UNAVAILABLE"));
    }
  });

  test("offers whose details are hostile or malformed are left out, and the rest is there", async () => {
    const hostile = [
      "0x",
      toHex(new TextEncoder().encode("not json")),
      toHex(new TextEncoder().encode('{"version":2}')),
      toHex(new Uint8Array([0xff, 0xfe, 0x00])),
      toHex(new TextEncoder().encode(`{"version":1,"__proto__":{"tier":"vm"},"tier":"vm"}`)),
      toHex(new TextEncoder().encode("[".repeat(2000))),
    ];
    for (const [i, details] of hostile.entries()) await publishRaw(chain, 10 + i, details as `0x${string}`);
    const reader = chain.market(undefined);
    const offers: Offer[] = [];
    for await (const offer of reader.offers()) offers.push(offer);
    assert.deepEqual(
      offers.map(({ account }) => account),
      [provider.account],
    );
  });

  test("keys that their account did not sign are not handed out", async () => {
    const database = chain.database();
    const market = chain.market(undefined, { database });
    assert.ok(await market.offer(provider.account));
    const db = openDatabase(database);
    db.exec(`UPDATE offers SET offer = json_set(offer, '$.offer.keys.onionKey', '0x${"66".repeat(32)}')`);
    db.close();
    await assert.rejects(market.offer(provider.account), hasCode("OFFER_KEYS_UNTRUSTED"));
  });

  test("a node of another chain, or a chain without the contracts, is refused", async () => {
    await assert.rejects(chain.market(undefined, { chainId: 1 }).start(), hasCode("CHAIN_MISMATCH"));
    const elsewhere = { ...chain.addresses, escrow: chain.node.accounts[9]!.address };
    await assert.rejects(
      chain.market(undefined, { addresses: elsewhere }).start(),
      hasCode("CONTRACTS_MISSING"),
    );
    await assert.rejects(
      chain.market(undefined, { rpcUrl: "http://127.0.0.1:9" }).start(),
      hasCode("CHAIN_UNAVAILABLE"),
    );
  });

  test("another chain's memory is forgotten when a devnet starts anew", async () => {
    const database = chain.database();
    await chain.market(undefined, { database }).jobs({});
    const other = await startChain();
    try {
      const market = other.market(1, { database });
      assert.deepEqual(await market.jobs({}), []);
      await send(market, { kind: "deposit", amount: 1n });
    } finally {
      await other.stop();
    }
  });
});

/** Publishes an offer as no honest client would. */
async function publishRaw(chain: TestChain, index: number, details: `0x${string}`): Promise<void> {
  const wallet = new Wallet(chain.node.accounts[index]!.privateKey);
  const { keys, ...flags } = someOffer();
  const domain = { chainId: BigInt(chain.node.chainId), registry: chain.addresses.registry };
  const { abi } = artifactOf("ProviderRegistry");
  const data = abi.encodeFunctionData("publish", [
    { ...flags, ...keys, details },
    signKeys(wallet, keys, domain),
  ]);
  const rpc = connectRpc(chain.node.rpcUrl);
  await rpc.send("eth_sendTransaction", [
    { from: wallet.address, to: chain.addresses.registry, data, gas: "0x4c4b40" },
  ]);
}

type Range = { fromBlock: string; toBlock: string };
