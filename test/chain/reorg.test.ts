import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { EvmClient } from "../../src/devnet/evm/node.ts";
import { isIchainError } from "../../src/errors/error.ts";
import type { Market } from "../../src/ports/market.ts";
import type { Job } from "../../src/protocol/job/job.ts";
import { send, someOffer, startChain, type TestChain } from "../support/chain/chain.ts";
import { controls } from "../support/chain/evm.ts";
import { requesterTip } from "../support/chain/secrets.ts";
import { someTerms } from "../support/chain/terms.ts";

for (const client of ["hardhat", "anvil"] satisfies EvmClient[]) {
  describe(`a reorganisation on ${client}`, () => {
    let chain: TestChain;
    let evm: ReturnType<typeof controls>;
    let requester: Market;
    let provider: Market;
    before(async () => {
      chain = await startChain({ client });
      evm = controls(chain.node);
    });
    beforeEach(async () => {
      [requester, provider] = [chain.market(1), chain.market(2)];
      await send(provider, { kind: "publish", offer: someOffer() });
      await send(provider, { kind: "deposit", amount: 10n ** 18n });
    });
    after(() => chain.stop());

    const post = async (market = requester) => {
      const terms = someTerms(requester.account, provider.account);
      const tx = await market.prepare({ kind: "post", terms, seedTip: requesterTip, sealed: "0x" });
      await market.broadcast(tx);
      return { id: tx.jobId!, tx };
    };
    /** The same account with no memory of what it sent: its next transaction takes the undone one's nonce. */
    const forgetful = () => chain.market(1);

    test("of several blocks is undone and redone in the index", async () => {
      const reader = chain.market(undefined);
      const kept = await post();
      const snapshot = await evm.snapshot();
      const lost = await post();
      await send(provider, { kind: "accept", job: await provider.job(kept.id) });
      await evm.mine(3);
      assert.equal((await reader.job(kept.id)).state, "Accepted");
      assert.equal((await reader.job(lost.id)).state, "Posted");

      await evm.revert(snapshot);
      await evm.mine(2);
      const fresh = await post(forgetful());
      await evm.mine(4);
      assert.equal((await reader.job(kept.id)).state, "Posted");
      assert.equal((await reader.job(fresh.id)).state, "Posted");
      await assert.rejects(reader.job(lost.id), (error) => isIchainError(error, "JOB_UNKNOWN"));
      const ids = (await reader.jobs({ requester: requester.account })).map(({ id }) => id);
      assert.ok(ids.includes(kept.id) && ids.includes(fresh.id) && !ids.includes(lost.id));
    });

    test("is told to who follows and who watches", async () => {
      const reader = chain.market(undefined);
      const { id } = await post();
      const snapshot = await evm.snapshot();
      const followed = reader.follow(id)[Symbol.asyncIterator]();
      const watched = reader.watch({ provider: provider.account })[Symbol.asyncIterator]();
      const next = async (jobs: AsyncIterator<Job>): Promise<Job["state"]> => {
        for (;;) {
          const { value } = await jobs.next();
          if (value.id === id) return value.state;
        }
      };
      assert.deepEqual([await next(followed), await next(watched)], ["Posted", "Posted"]);
      await send(provider, { kind: "accept", job: await provider.job(id) });
      assert.deepEqual([await next(followed), await next(watched)], ["Accepted", "Accepted"]);
      await evm.revert(snapshot);
      await evm.mine(3);
      assert.deepEqual([await next(followed), await next(watched)], ["Posted", "Posted"]);
      await followed.return?.();
      await watched.return?.();
    });

    test("does not lose a transaction: the account's next one brings it in again", async () => {
      const snapshot = await evm.snapshot();
      const { id } = await post();
      await evm.revert(snapshot);
      await evm.mine();
      await send(requester, { kind: "deposit", amount: 1n });
      assert.equal((await requester.job(id)).state, "Posted");
    });

    test("does not lose a transaction: whoever brings it in brings it in again", async () => {
      const snapshot = await evm.snapshot();
      const { id, tx } = await post();
      await evm.revert(snapshot);
      await evm.mine();
      const receipt = await requester.broadcast(tx);
      assert.equal(receipt.hash, tx.hash);
      assert.equal((await requester.job(id)).state, "Posted");
    });

    test("of what is not confirmed never shows", async () => {
      const patient = chain.market(undefined, { confirmations: 4 });
      const snapshot = await evm.snapshot();
      const lost = await post();
      await evm.mine(2);
      await assert.rejects(patient.job(lost.id), (error) => isIchainError(error, "JOB_UNKNOWN"));
      await evm.revert(snapshot);
      const kept = await post(forgetful());
      await evm.mine(3);
      assert.equal((await patient.job(kept.id)).state, "Posted");
      await assert.rejects(patient.job(lost.id), (error) => isIchainError(error, "JOB_UNKNOWN"));
    });

    test("changes offers back", async () => {
      const reader = chain.market(undefined);
      const snapshot = await evm.snapshot();
      const before = (await reader.offer(provider.account))!;
      await send(provider, { kind: "deposit", amount: 5n });
      await send(chain.market(3), { kind: "publish", offer: someOffer() });
      const { address } = chain.node.accounts[3]!;
      assert.equal((await reader.offer(provider.account))!.stake, before.stake + 5n);
      assert.ok(await reader.offer(address));
      await evm.revert(snapshot);
      await evm.mine(4);
      assert.equal((await reader.offer(provider.account))!.stake, before.stake);
      assert.equal(await reader.offer(address), undefined);
    });

    test("a transaction counts as done only so deep as asked for", async () => {
      const patient = chain.market(4, { confirmations: 3 });
      const tx = await patient.prepare({ kind: "deposit", amount: 1n });
      let done = false;
      const receipt = patient.broadcast(tx).then((value) => {
        done = true;
        return value;
      });
      while ((await evm.nonce(patient.account)) === tx.nonce) await new Promise(setImmediate);
      const mined = await evm.height();
      await evm.mine();
      assert.equal(done, false);
      await evm.mine();
      assert.equal((await receipt).block, mined);
    });
  });
}
