import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connectRpc } from "../../../src/chain/rpc/rpc.ts";
import { startChain, type TestChain } from "../../support/chain/chain.ts";
import { startProxy } from "../../support/chain/rpc-proxy.ts";

describe("a market's pace", () => {
  let chain: TestChain;
  before(async () => {
    chain = await startChain();
  });
  after(() => chain.stop());

  const mine = async (blocks: number, seconds: number) => {
    const hex = (value: number) => `0x${value.toString(16)}`;
    await connectRpc(chain.node.rpcUrl).send("hardhat_mine", [hex(blocks), hex(seconds)]);
  };

  test("of a chain of few blocks is bounded", async () => {
    const { blockSeconds, confirmations } = await chain.market(undefined, { confirmations: 3 }).chainPace();
    assert.ok(blockSeconds >= 0.1 && blockSeconds <= 60, String(blockSeconds));
    assert.equal(confirmations, 3);
  });

  test("is that of its recent blocks, whatever one leap in time", async () => {
    await mine(24, 12);
    await chain.node.increaseTime(30 * 86_400);
    await mine(24, 12);
    const { blockSeconds } = await chain.market(undefined).chainPace();
    assert.equal(Math.round(blockSeconds), 12);
  });

  test("is asked for once however many want it", async (t) => {
    const proxy = await startProxy(chain.node.rpcUrl, () => undefined);
    t.after(proxy.stop);
    const market = chain.market(undefined, { rpcUrl: proxy.url });
    await market.chainPace();
    const { length } = proxy.calls;
    await market.chainPace();
    assert.equal(proxy.calls.length, length);
  });
});
