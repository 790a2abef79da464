import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Wallet } from "ethers";
import type { EvmClient } from "../../src/devnet/evm/node.ts";
import { isIchainError } from "../../src/errors/error.ts";
import type { Market } from "../../src/ports/market.ts";
import { send, someOffer, startChain, type TestChain } from "../support/chain/chain.ts";
import { controls } from "../support/chain/evm.ts";
import { requesterTip } from "../support/chain/secrets.ts";
import { someTerms } from "../support/chain/terms.ts";

const hasCode = (code: string, errorClass: string) => (error: unknown) => {
  assert.ok(isIchainError(error), String(error));
  assert.deepEqual([error.code, error.class], [code, errorClass]);
  assert.ok(error.hint.length > 10);
  return true;
};

for (const client of ["hardhat", "anvil"] satisfies EvmClient[]) {
  describe(`writing to the market on ${client}`, () => {
    let chain: TestChain;
    let evm: ReturnType<typeof controls>;
    let provider: Market;
    before(async () => {
      chain = await startChain({ client, accounts: 12 });
      evm = controls(chain.node);
      provider = chain.market(2);
      await send(provider, { kind: "publish", offer: someOffer() });
    });
    after(() => chain.stop());

    test("what would revert says why, and costs neither gas nor a nonce", async () => {
      const requester = chain.market(1);
      const terms = someTerms(requester.account, provider.account);
      await send(requester, { kind: "post", terms, seedTip: requesterTip, sealed: "0x" });
      const job = await requester.job(requester.jobIdOf(terms));
      const nonce = await evm.nonce(requester.account);
      const refused = (
        market: Market,
        call: Parameters<Market["prepare"]>[0],
        code: string,
        errorClass = "refused",
      ) => assert.rejects(market.prepare(call), hasCode(code, errorClass));

      await refused(
        requester,
        { kind: "post", terms, seedTip: requesterTip, sealed: "0x" },
        "ESCROW_ALREADY_POSTED",
      );
      await refused(requester, { kind: "accept", job }, "ESCROW_NOT_PARTY");
      await refused(requester, { kind: "settle", job }, "ESCROW_INVALID_STATUS");
      await refused(
        requester,
        { kind: "rate", job, subject: provider.account, score: 5 },
        "ESCROW_INVALID_STATUS",
      );
      await refused(chain.market(3), { kind: "cancel", job }, "ESCROW_TOO_EARLY");
      await refused(provider, { kind: "accept", job }, "REGISTRY_INSUFFICIENT_STAKE", "funds");
      await refused(requester, { kind: "withdraw", token: terms.token }, "ESCROW_NOTHING_OWED");
      await refused(
        requester,
        {
          kind: "post",
          terms: { ...terms, provider: requester.account },
          seedTip: requesterTip,
          sealed: "0x",
        },
        "ESCROW_INVALID_TERMS",
      );
      assert.equal(await evm.nonce(requester.account), nonce);
      await send(requester, { kind: "cancel", job });
      assert.equal(await evm.nonce(requester.account), nonce + 1);
    });

    test("an account without coin is told so, a market without wallet too", async () => {
      const broke = chain.market(undefined, { wallet: new Wallet(`0x${"77".repeat(32)}`) });
      const terms = someTerms(broke.account, provider.account);
      await assert.rejects(
        broke.prepare({ kind: "post", terms, seedTip: requesterTip, sealed: "0x" }),
        hasCode("FUNDS_TOO_LOW", "funds"),
      );
      const reader = chain.market(undefined);
      await assert.rejects(
        reader.prepare({ kind: "deposit", amount: 1n }),
        hasCode("WALLET_MISSING", "config"),
      );
    });

    test("fifty calls prepared and sent at once each get a nonce and are mined once", async () => {
      const market = chain.market(4);
      const first = await evm.nonce(market.account);
      const amounts = Array.from({ length: 50 }, (_, i) => BigInt(i + 1));
      const prepared = await Promise.all(
        amounts.map((amount) => market.prepare({ kind: "deposit", amount })),
      );
      assert.deepEqual(
        prepared.map(({ nonce }) => nonce).toSorted((a, b) => a - b),
        amounts.map((_, i) => first + i),
      );
      const receipts = await Promise.all(prepared.toReversed().map((tx) => market.broadcast(tx)));
      assert.equal(new Set(receipts.map(({ hash }) => hash)).size, 50);
      assert.equal(await evm.nonce(market.account), first + 50);
    });

    test("two processes of one account share its nonces", async () => {
      const database = chain.database();
      const [one, other] = [chain.market(5, { database }), chain.market(5, { database })];
      const calls = [one, other, one, other].map((market) => market.prepare({ kind: "deposit", amount: 1n }));
      const nonces = (await Promise.all(calls)).map(({ nonce }) => nonce);
      assert.equal(new Set(nonces).size, 4);
    });

    test("sending the same transaction again, also in another life, changes nothing", async () => {
      const database = chain.database();
      const market = chain.market(6, { database });
      const before = await market.balance(market.account);
      const tx = await market.prepare({ kind: "deposit", amount: 5n });
      const [a, b] = await Promise.all([market.broadcast(tx), market.broadcast(tx)]);
      await market.stop();
      const again = await chain.market(6, { database }).broadcast(tx);
      const elsewhere = chain.market(6);
      assert.deepEqual([b, again, await elsewhere.broadcast(tx)], [a, a, a]);
      assert.equal(await elsewhere.balance(market.account), before - 5n - a.fee);
    });

    test("a transaction prepared before a crash is sent after it, under whatever nonce is left", async () => {
      const database = chain.database();
      const died = chain.market(7, { database });
      const start = await evm.nonce(died.account);
      const orphan = await died.prepare({ kind: "deposit", amount: 7n });
      await died.stop();
      const market = chain.market(7, { database, graceMs: 0 });
      const next = await market.prepare({ kind: "deposit", amount: 8n });
      assert.equal(next.nonce, orphan.nonce, "the nonce of what was never sent is free again");
      await market.broadcast(next);
      const late = await market.broadcast(orphan);
      assert.notEqual(late.hash, orphan.hash);
      assert.deepEqual(await market.broadcast(orphan), late);
      assert.equal(await evm.nonce(market.account), start + 2);
    });

    test("a nonce that nobody uses does not hold up what comes after it", async () => {
      const market = chain.market(8, { graceMs: 1_500 });
      const start = await evm.nonce(market.account);
      await market.prepare({ kind: "deposit", amount: 1n });
      const after = await market.prepare({ kind: "deposit", amount: 2n });
      assert.equal(after.nonce, start + 1);
      await market.broadcast(after);
      assert.equal(await evm.nonce(market.account), start + 2);
    });

    test("a transaction that the node dropped is sent again", async () => {
      const market = chain.market(10);
      await evm.holdMining();
      const tx = await market.prepare({ kind: "deposit", amount: 3n });
      const done = market.broadcast(tx);
      await poolHolds(chain, market.account, (hash) => hash === tx.hash);
      await evm.drop(tx.hash);
      await evm.mine();
      await evm.mineAtOnce();
      assert.equal((await done).hash, tx.hash);
    });

    test("a stuck transaction is replaced with a higher fee, and mined once", async () => {
      const market = chain.market(9, { stuckMs: 50 });
      const start = await evm.nonce(market.account);
      await evm.holdMining();
      const tx = await market.prepare({ kind: "deposit", amount: 9n });
      const done = market.broadcast(tx);
      await poolHolds(chain, market.account, (hash) => hash !== tx.hash);
      await evm.mine();
      await evm.mineAtOnce();
      const receipt = await done;
      assert.notEqual(receipt.hash, tx.hash);
      assert.equal(await evm.nonce(market.account), start + 1);
      assert.deepEqual(await market.broadcast(tx), receipt);
    });
  });
}

/** Resolves once the node's pool holds a transaction of `account` that `wanted` accepts. */
async function poolHolds(
  chain: TestChain,
  account: string,
  wanted: (hash: string) => boolean,
): Promise<void> {
  const { connectRpc } = await import("../../src/chain/rpc/rpc.ts");
  const rpc = connectRpc(chain.node.rpcUrl);
  const pending = () => rpc.send("eth_getBlockByNumber", ["pending", true]);
  type Pending = { transactions: { from: string; hash: string }[] };
  for (;;) {
    const { transactions } = (await pending()) as Pending;
    if (transactions.some(({ from, hash }) => from.toLowerCase() === account.toLowerCase() && wanted(hash)))
      return;
    await new Promise(setImmediate);
  }
}
