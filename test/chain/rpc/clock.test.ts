import assert from "node:assert/strict";
import { after, before, beforeEach, describe, mock, test } from "node:test";
import type { ChainWarning } from "../../../src/chain/warnings.ts";
import type { EvmClient } from "../../../src/devnet/evm/node.ts";
import { isIchainError } from "../../../src/errors/error.ts";
import { startChain, type TestChain } from "../../support/chain/chain.ts";
import { controls } from "../../support/chain/evm.ts";
import { startProxy } from "../../support/chain/rpc-proxy.ts";

const HOURS = 3_600;

for (const client of ["hardhat", "anvil"] satisfies EvmClient[]) {
  describe(`the chain's time on ${client}`, () => {
    let chain: TestChain;
    let warnings: ChainWarning[];
    before(async () => {
      chain = await startChain({ client });
    });
    beforeEach(() => {
      warnings = [];
    });
    after(() => chain.stop());

    /** How far the market's time is ahead of the machine's true one. */
    const lead = async (t: Parameters<typeof controls>[0] = chain.node) => {
      const market = chain.market(undefined, { rpcUrl: t.rpcUrl, warn: (warning) => warnings.push(warning) });
      return (await market.now()) - trueNow();
    };
    const trueNow = () => Math.round((performance.timeOrigin + performance.now()) / 1000);

    test("has nothing to do with a wall clock that is wrong, which is told once", async (t) => {
      const before = await lead();
      const wrong = Date.now() + 2 * HOURS * 1000;
      mock.method(Date, "now", () => wrong);
      t.after(() => mock.restoreAll());
      assert.ok(Math.abs((await lead()) - before) < 10);
      const told = warnings.map((warning) =>
        warning.kind === "clock-differs" ? Math.round(warning.seconds / HOURS) : warning.kind,
      );
      assert.deepEqual(told, [2]);
    });

    test("runs ahead of the wall clock where it was moved, in a market that opens later too", async () => {
      const before = await lead();
      await chain.node.increaseTime(100 * HOURS);
      assert.ok(Math.abs((await lead()) - before - 100 * HOURS) < 10);
    });

    test("goes on while no blocks are mined, also when its node knows no pending block", async (t) => {
      const proxy = await startProxy(chain.node.rpcUrl, ({ params }) =>
        params[0] === "pending" ? { result: null } : undefined,
      );
      t.after(proxy.stop);
      const market = chain.market(undefined, { rpcUrl: proxy.url });
      const [first, height] = [await market.now(), await controls(chain.node).height()];
      while ((await market.now()) === first) await new Promise(setImmediate);
      assert.equal(await market.now(), first + 1);
      assert.equal(await controls(chain.node).height(), height);
    });

    test("goes on while no node answers, once one has", async (t) => {
      let away = false;
      const proxy = await startProxy(chain.node.rpcUrl, () => (away ? "hang up" : undefined));
      t.after(proxy.stop);
      const market = chain.market(undefined, { rpcUrl: proxy.url });
      const first = await market.now();
      away = true;
      assert.ok(Math.abs((await market.now()) - first) <= 5);
      await assert.rejects(chain.market(undefined, { rpcUrl: proxy.url }).now(), (error) =>
        isIchainError(error, "CHAIN_UNAVAILABLE"),
      );
    });
  });
}
