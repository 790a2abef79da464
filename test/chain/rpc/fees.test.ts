import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import { currentFees, DEFAULT_FEE_CAPS, type FeeCaps } from "../../../src/chain/rpc/fees.ts";
import { connectRpc } from "../../../src/chain/rpc/rpc.ts";
import type { ChainWarning } from "../../../src/chain/warnings.ts";
import { isIchainError } from "../../../src/errors/error.ts";
import type { Market } from "../../../src/ports/market.ts";
import { startChain, type TestChain } from "../../support/chain/chain.ts";
import { controls } from "../../support/chain/evm.ts";
import { type Meddle, startProxy } from "../../support/chain/rpc-proxy.ts";

const GWEI = 10n ** 9n;
const tooHigh = (error: unknown) => isIchainError(error, "FEE_TOO_HIGH");
const hex = (wei: bigint) => `0x${wei.toString(16)}`;

describe("what a transaction offers for its gas", () => {
  let chain: TestChain;
  before(async () => {
    chain = await startChain();
  });
  after(() => chain.stop());

  const asked = async (t: TestContext, meddle: Meddle, caps: FeeCaps = DEFAULT_FEE_CAPS) => {
    const proxy = await startProxy(chain.node.rpcUrl, meddle);
    t.after(proxy.stop);
    return currentFees(connectRpc(proxy.url), caps);
  };
  const suggests =
    (priority: bigint, history?: object): Meddle =>
    ({ method }) => {
      if (method === "eth_maxPriorityFeePerGas") return { result: hex(priority) };
      return method === "eth_feeHistory" ? history : undefined;
    };
  const paid = (base: bigint, reward: bigint) => ({
    result: {
      baseFeePerGas: Array.from({ length: 21 }, () => hex(base)),
      reward: Array.from({ length: 20 }, () => [hex(reward)]),
    },
  });

  test("is refused beyond ten times what others paid of late", async (t) => {
    const history = paid(20n * GWEI, GWEI);
    assert.equal((await asked(t, suggests(200n * GWEI, history))).cap, 210n * GWEI);
    await assert.rejects(asked(t, suggests(215n * GWEI, history)), tooHigh);
  });

  test("is refused beyond the absolute cap, whatever others are said to have paid", async (t) => {
    await assert.rejects(asked(t, suggests(1_001n * GWEI, paid(900n * GWEI, 900n * GWEI))), tooHigh);
  });

  test("has only the absolute cap where the node tells no history", async (t) => {
    const none = { error: { code: -32601, message: "method not found" } };
    assert.equal((await asked(t, suggests(900n * GWEI, none))).priority, 900n * GWEI);
    await assert.rejects(asked(t, suggests(1_001n * GWEI, none)), tooHigh);
  });

  test("gives up room for the base fee to grow before it goes beyond a cap", async (t) => {
    const caps = { max: 3n * GWEI, timesMedian: 10 };
    const fees = await asked(t, suggests(2n * GWEI), caps);
    assert.ok(fees.max <= caps.max && fees.max >= fees.priority);
  });
});

test("the fee of a stuck transaction is raised to the cap and no further, which is told once", async () => {
  const chain = await startChain();
  try {
    const evm = controls(chain.node);
    const warnings: ChainWarning[] = [];
    const capped = Promise.withResolvers<void>();
    const market: Market = chain.market(9, {
      stuckMs: 1,
      fees: { max: 3_300_000_000n, timesMedian: 10 },
      warn: (warning) => {
        warnings.push(warning);
        capped.resolve();
      },
    });
    await evm.holdMining();
    const start = await evm.nonce(market.account);
    const tx = await market.prepare({ kind: "deposit", amount: 9n });
    const done = market.broadcast(tx);
    await capped.promise;
    await evm.mine();
    await evm.mineAtOnce();
    const { hash } = await done;
    const mined = (await connectRpc(chain.node.rpcUrl).send("eth_getTransactionByHash", [hash])) as {
      maxFeePerGas: string;
    };
    assert.notEqual(hash, tx.hash);
    assert.ok(BigInt(mined.maxFeePerGas) <= 3_300_000_000n);
    assert.deepEqual(
      warnings.map(({ kind }) => kind),
      ["fee-capped"],
    );
    assert.equal(await evm.nonce(market.account), start + 1);
  } finally {
    await chain.stop();
  }
});
