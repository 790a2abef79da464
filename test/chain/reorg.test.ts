import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { EvmClient } from "../../src/devnet/evm/node.ts";
import { isIchainError } from "../../src/errors/error.ts";
import type { Market } from "../../src/ports/market.ts";
import { COIN } from "../../src/protocol/amounts.ts";
import type { Campaign } from "../../src/protocol/campaign/campaign.ts";
import { rowDigest, rowsRoot } from "../../src/protocol/campaign/rows.ts";
import { type CampaignTerms, fixCommitment, NO_ROW } from "../../src/protocol/campaign/terms.ts";
import type { Address } from "../../src/protocol/ids.ts";
import type { Job } from "../../src/protocol/job/job.ts";
import { send, someOffer, startChain, type TestChain } from "../support/chain/chain.ts";
import { controls } from "../support/chain/evm.ts";
import { requesterTip } from "../support/chain/secrets.ts";
import { someTerms } from "../support/chain/terms.ts";

/** Of campaigns, which differ by when they close. */
let opened = 0;

function someCampaign(owner: Address, closesAt: number): CampaignTerms {
  const sums = { deposit: 100n, price: 10n, reward: 5n, bond: 100n, fee: 10n };
  const windows = { closesAt, fixWindow: 3_600, stepWindow: 600 };
  const token = COIN.address;
  return {
    owner,
    token,
    ...sums,
    rows: 10,
    capacity: 10,
    ...windows,
    slices: 0,
    specHash: NO_ROW,
    examRoot: NO_ROW,
  };
}

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

    test("of a data campaign is undone and redone: entries, fixes, parties, the times of blocks", async () => {
      const reader = chain.market(undefined);
      const [owner, fixer] = [chain.market(1), chain.market(3)];
      const author = () => chain.market(2);
      const openedBy = async (market: Market) => {
        const now = await market.now();
        const terms = someCampaign(market.account, now + 86_400 + opened++);
        await send(market, { kind: "openCampaign", campaign: { terms }, description: "0x" });
        return await market.campaign(market.campaignIdOf(terms));
      };
      const add = async (market: Market, campaign: Campaign, rows: readonly string[]) => {
        const deposit = campaign.terms.deposit * 2n;
        const root = rowsRoot(market.account, rows);
        await send(market, { kind: "addRows", campaign, root, count: rows.length, deposit, locator: "0x" });
      };
      const kept = await openedBy(owner);
      await add(author(), kept, ["first"]);
      const before = await reader.campaign(kept.id);

      const snapshot = await evm.snapshot();
      const followed = reader.followCampaign(kept.id)[Symbol.asyncIterator]();
      const entriesBecome = async (count: number) => {
        for (;;) {
          const { value } = (await followed.next()) as { value: Campaign };
          if (value.rules.entries.length === count) return;
        }
      };
      await entriesBecome(1);
      const original = rowDigest("first");
      const correction = { entry: 0, row: 0, original, corrected: NO_ROW, salt: NO_ROW, proof: [] };
      const commitment = fixCommitment(kept.id, fixer.account, correction);
      await send(fixer, { kind: "commitFix", campaign: kept, commitment });
      await send(fixer, { kind: "fixRow", campaign: kept, correction, content: "0x" });
      const lost = await openedBy(owner);
      await add(author(), kept, ["second", "third"]);
      await entriesBecome(2);
      const [place] = (await reader.campaign(kept.id)).rules.places();
      assert.deepEqual(place, { entry: 0, row: 0, fix: 0 });
      assert.deepEqual(
        (await reader.campaigns({ fixer: fixer.account })).map(({ id }) => id),
        [kept.id],
      );

      await evm.revert(snapshot);
      await chain.node.increaseTime(1_000);
      await evm.mine(2);
      await entriesBecome(1);
      await add(author(), kept, ["other"]);
      await evm.mine(4);
      await entriesBecome(2);
      await followed.return?.();
      const after = await reader.campaign(kept.id);
      assert.deepEqual(after.rules.places(), []);
      assert.deepEqual(after.rules.entries[0], before.rules.entries[0]);
      assert.equal(after.batches[1]!.root, rowsRoot(author().account, ["other"]));
      assert.ok(after.rules.entries[1]!.addedAt >= before.rules.entries[0]!.addedAt + 1_000);
      assert.deepEqual(await reader.campaigns({ fixer: fixer.account }), []);
      await assert.rejects(reader.campaign(lost.id), (error) => isIchainError(error, "CAMPAIGN_UNKNOWN"));
      const ids = (await reader.campaigns({ owner: owner.account })).map(({ id }) => id);
      assert.deepEqual(ids, [kept.id]);
      // What the index thinks that the contract holds is what it has, with what it owes back of deposits.
      const owed = await reader.owedCampaigns(author().account, COIN.address);
      assert.equal(await reader.balance(chain.addresses.campaigns!), after.rules.held() + owed);
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
