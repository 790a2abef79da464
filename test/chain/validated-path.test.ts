import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { EvmClient } from "../../src/devnet/evm/node.ts";
import type { Market } from "../../src/ports/market.ts";
import { type Hex, ZERO_ADDRESS } from "../../src/protocol/ids.ts";
import { keyCommitment } from "../../src/protocol/job/exchange.ts";
import type { Job } from "../../src/protocol/job/job.ts";
import { type Measurement, measurementCommitment } from "../../src/protocol/job/measurement.ts";
import { send, someOffer, startChain, type TestChain } from "../support/chain/chain.ts";
import { providerTip, requesterTip } from "../support/chain/secrets.ts";
import { random32, someTerms } from "../support/chain/terms.ts";

const SEALED = "0x5ea1ed" as Hex;
const STAKE = 10n ** 18n;

for (const client of ["hardhat", "anvil"] satisfies EvmClient[]) {
  describe(`a validated job on ${client}`, () => {
    let chain: TestChain;
    let requester: Market;
    let provider: Market;
    let validator: Market;
    before(async () => {
      chain = await startChain({ client });
      [requester, provider, validator] = [chain.market(1), chain.market(2), chain.market(3)];
      for (const market of [provider, validator]) {
        await send(market, { kind: "publish", offer: someOffer() });
        await send(market, { kind: "deposit", amount: STAKE });
      }
    });
    after(() => chain.stop());

    test("goes from post to rate, and everybody has what is due", async () => {
      const terms = someTerms(requester.account, provider.account);
      const post = await requester.prepare({ kind: "post", terms, seedTip: requesterTip, sealed: SEALED });
      assert.equal(post.jobId, requester.jobIdOf(terms));
      const id = post.jobId!;
      await requester.broadcast(post);

      const stories = [requester, provider, validator].map((market) => story(market, id));
      let job = await provider.job(id);
      assert.deepEqual(
        { state: job.state, terms: job.terms, sealed: job.sealedBundle },
        { state: "Posted", terms, sealed: SEALED },
      );

      await send(provider, { kind: "accept", job });
      const blindedKey = random32();
      const found: Measurement = { digest: random32(), score: 973_000_000n, salt: random32() };
      await send(provider, {
        kind: "submit",
        job: await provider.job(id),
        resultRoot: random32(),
        measurementCommitment: measurementCommitment(id, provider.account, found),
        keyCommitment: keyCommitment(id, blindedKey),
        seedTip: providerTip,
        sealed: SEALED,
      });
      await send(requester, {
        kind: "appoint",
        job: await requester.job(id),
        validators: [{ address: validator.account, sealed: SEALED }],
      });
      job = await validator.job(id);
      assert.equal(job.committing, true);

      const own: Measurement = { ...found, score: 972_000_000n, salt: random32() };
      await send(validator, {
        kind: "commit",
        job,
        commitment: measurementCommitment(id, validator.account, own),
      });
      job = await validator.job(id);
      assert.equal(job.committing, false);
      await send(validator, { kind: "reveal", job, own, providers: found });
      job = await provider.job(id);
      assert.deepEqual([job.state, job.verdict, job.providerMeasurement], ["Validated", "pass", found]);
      await send(provider, { kind: "claim", job, blindedKey });

      job = await requester.job(id);
      assert.deepEqual([job.state, job.blindedKey, job.deadline], ["Settled", blindedKey, undefined]);
      const past = (score?: number) => {
        const { price: value, validators } = job.terms;
        return { requester: requester.account, value, validators, ended: "settled", score };
      };
      const pastJobs = async () => {
        for await (const past of requester.pastJobs([provider.account])) return past;
      };
      assert.deepEqual(await pastJobs(), [past()]);
      await send(requester, { kind: "rate", job, subject: provider.account, score: 5 });
      await send(requester, { kind: "rate", job, subject: validator.account, score: 4 });

      assert.equal(await provider.owed(provider.account, ZERO_ADDRESS), 1000n);
      assert.equal(await validator.owed(validator.account, ZERO_ADDRESS), 100n);
      const before = await provider.balance(provider.account);
      const paid = await send(provider, { kind: "withdraw", token: ZERO_ADDRESS });
      assert.equal(await provider.balance(provider.account), before + 1000n - paid.fee);

      const offer = (await requester.offer(provider.account))!;
      assert.deepEqual([offer.stake, offer.lockedStake], [STAKE, 0n]);
      assert.deepEqual([offer.ratingAsProvider.count, offer.ratingAsProvider.sum], [1, 5]);
      assert.equal(offer.ratingAsProvider.outcomes.settled, 1);
      // Twice: the second is kept from the first.
      for (let i = 0; i < 2; i += 1) assert.deepEqual(await pastJobs(), [past(5)]);
      assert.equal((await requester.offer(validator.account))!.ratingAsValidator.sum, 4);

      for (const states of await Promise.all(stories)) {
        assert.deepEqual([states[0], states.at(-1)], ["Posted", "Settled"]);
      }
    });

    test("a job in the terms' own words has the same name here and on the chain", async () => {
      const terms = someTerms(requester.account, provider.account, {
        mode: "digest",
        validators: 7,
        tolerance: 2n ** 64n - 1n,
        threshold: -(2n ** 63n),
      });
      await send(requester, { kind: "post", terms, seedTip: requesterTip, sealed: "0x" });
      assert.deepEqual((await requester.job(requester.jobIdOf(terms))).terms, terms);
    });

    test("jobs are found by party and by the beginning of their name", async () => {
      const reader = chain.market(undefined);
      const mine = await reader.jobs({ requester: requester.account });
      assert.ok(mine.length >= 1);
      assert.deepEqual(await reader.jobs({ requester: provider.account }), []);
      assert.equal(
        (await reader.jobs({ requester: requester.account, provider: provider.account })).length,
        mine.length,
      );
      assert.equal(await reader.resolveJob(mine[0]!.id.slice(2, 14)), mine[0]!.id);
    });
  });
}

/** The states of a job as one party sees them, until it is final. */
async function story(market: Market, id: Hex): Promise<Job["state"][]> {
  const states: Job["state"][] = [];
  for await (const { state } of market.follow(id)) states.push(state);
  return states;
}
