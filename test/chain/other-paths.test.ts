import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { EvmClient } from "../../src/devnet/evm/node.ts";
import type { Call, Market, Receipt } from "../../src/ports/market.ts";
import { type Hex, sameAddress, ZERO_ADDRESS } from "../../src/protocol/ids.ts";
import { keyCommitment } from "../../src/protocol/job/exchange.ts";
import type { Job } from "../../src/protocol/job/job.ts";
import { type Measurement, measurementCommitment } from "../../src/protocol/job/measurement.ts";
import { shareOf, type Terms } from "../../src/protocol/job/terms.ts";
import { send as sendCall, someOffer, startChain, type TestChain } from "../support/chain/chain.ts";
import { readRegistry } from "../support/chain/registry.ts";
import { opening, providerSeed, providerTip, requesterTip } from "../support/chain/secrets.ts";
import { random32, someTerms } from "../support/chain/terms.ts";

const POOL_STAKE = 10n ** 17n;
const VALIDATORS = [3, 4, 5, 6];

for (const client of ["hardhat", "anvil"] satisfies EvmClient[]) {
  describe(`every other way through a job on ${client}`, () => {
    let chain: TestChain;
    let requester: Market;
    let provider: Market;
    let validators: Market[];
    let registry: ReturnType<typeof readRegistry>;
    before(async () => {
      chain = await startChain({ client, poolStake: POOL_STAKE, cooldown: 60 });
      registry = readRegistry(chain);
      [requester, provider] = [chain.market(1), chain.market(2)];
      validators = VALIDATORS.map((index) => chain.market(index));
      for (const market of [provider, ...validators]) {
        const role = { provider: market === provider, validator: market !== provider };
        await sendCall(market, { kind: "publish", offer: someOffer(role) });
        await sendCall(market, { kind: "deposit", amount: 2n * POOL_STAKE });
      }
    });
    after(() => {
      registry.close();
      return chain.stop();
    });

    /** After every call the index tells of every account what the registry does: no event is missed. */
    const send = async (market: Market, call: Call): Promise<Receipt> => {
      const receipt = await sendCall(market, call);
      for (const { account } of [provider, ...validators]) {
        assert.deepEqual(await requester.offer(account), await registry.offer(account), call.kind);
      }
      return receipt;
    };
    const found: Measurement = { digest: random32(), score: 950_000_000n, salt: random32() };
    const blindedKey = random32();
    const now = (id: Hex) => requester.job(id);
    const pass = async (id: Hex) => {
      const { deadline } = await now(id);
      await chain.node.increaseTime(Math.max(0, deadline! - (await requester.now())) + 1);
    };
    const post = async (overrides: Partial<Terms> = {}) => {
      const acceptBy = (await requester.now()) + 3600;
      const terms = someTerms(requester.account, provider.account, { acceptBy, ...overrides });
      await send(requester, { kind: "post", terms, seedTip: requesterTip, sealed: "0xb0" });
      return requester.jobIdOf(terms);
    };
    const accepted = async (overrides: Partial<Terms> = {}) => {
      const id = await post(overrides);
      await send(provider, { kind: "accept", job: await now(id) });
      return id;
    };
    const submitted = async (overrides: Partial<Terms> = {}) => {
      const id = await accepted(overrides);
      await send(provider, {
        kind: "submit",
        job: await now(id),
        resultRoot: random32(),
        measurementCommitment: measurementCommitment(id, provider.account, found),
        keyCommitment: keyCommitment(id, blindedKey),
        seedTip: providerTip,
        sealed: "0x5e",
      });
      return id;
    };
    const appointed = async (markets: Market[]) => {
      const id = await submitted({ validators: markets.length });
      const asked = markets.map(({ account }) => ({ address: account, sealed: "0xaa" as Hex }));
      await send(requester, { kind: "appoint", job: await now(id), validators: asked });
      return id;
    };
    const commit = async (id: Hex, market: Market, own: Measurement) =>
      send(market, {
        kind: "commit",
        job: await now(id),
        commitment: measurementCommitment(id, market.account, own),
      });
    /** Seats whom the draw picks by both seeds, that of the requester first. */
    const drawn = async (id: Hex): Promise<Market[]> => {
      const job = await now(id);
      const before = job.validations.length;
      if (!job.seeded) await send(requester, { kind: "revealSeed", job, ...opening(job.draws) });
      return pick(id, job.draws, before);
    };
    const pick = async (id: Hex, draw: number, before = 0): Promise<Market[]> => {
      await send(provider, { kind: "draw", job: await now(id), seed: providerSeed(draw) });
      const seats = (await now(id)).validations.slice(before);
      return seats.map(({ validator }) => validators.find(({ account }) => sameAddress(account, validator))!);
    };
    const state = ({ state, verdict }: Job) => [state, verdict];

    test("optimistic: claimed without validators, settled by the requester", async () => {
      const id = await submitted({ validators: 0 });
      await send(provider, { kind: "claim", job: await now(id), blindedKey });
      const job = await now(id);
      assert.deepEqual([job.state, job.blindedKey], ["Claimed", blindedKey]);
      await send(requester, { kind: "settle", job });
      assert.equal((await now(id)).state, "Settled");
      const offer = await requester.offer(provider.account);
      assert.deepEqual([offer?.lockedStake, offer?.ratingAsProvider.outcomes.settled], [0n, 1]);
      await send(requester, { kind: "rate", job: await now(id), subject: provider.account, score: 5 });
      await send(provider, { kind: "withdraw", token: ZERO_ADDRESS });
    });

    test("challenged: a drawn panel finds it right, and the provider is paid", async () => {
      const id = await submitted({ validators: 0 });
      await send(provider, { kind: "claim", job: await now(id), blindedKey });
      await send(requester, { kind: "challenge", job: await now(id), ...opening(1) });
      assert.equal((await now(id)).drawing, true);
      const panel = await drawn(id);
      assert.ok(panel.length > 0);
      assert.deepEqual([(await now(id)).drawing, (await now(id)).committing], [false, true]);
      const owns = panel.map(() => ({ ...found, salt: random32() }));
      for (const [i, market] of panel.entries()) {
        await send(provider, {
          kind: "handover",
          job: await now(id),
          validator: market.account,
          sealed: "0xcc",
        });
        await commit(id, market, owns[i]!);
      }
      assert.ok((await now(id)).validations.every(({ sealed }) => sealed === "0xcc"));
      await send(provider, { kind: "disclose", job: await now(id), own: found });
      for (const [i, market] of panel.entries())
        await send(market, { kind: "reveal", job: await now(id), own: owns[i]! });
      assert.deepEqual(state(await now(id)), ["Validated", "pass"]);
      await send(requester, { kind: "settle", job: await now(id) });
      assert.equal((await now(id)).state, "Settled");
    });

    test("cancelled by the requester", async () => {
      const id = await post();
      await send(requester, { kind: "cancel", job: await now(id) });
      assert.equal((await now(id)).state, "Cancelled");
    });

    test("given back by the provider, whose words are shown without tricks", async () => {
      const id = await accepted();
      await send(provider, { kind: "release", job: await now(id), reason: "no \u001b[31mGPU\u202e\n" });
      const job = await now(id);
      assert.deepEqual([job.state, job.reason], ["Refunded", "no  [31mGPU "]);
    });

    test("stopped by the requester, for the time used", async () => {
      const id = await accepted();
      const before = await provider.owed(provider.account, ZERO_ADDRESS);
      const job = await now(id);
      await send(requester, { kind: "stop", job });
      const { state, cause, paid } = await now(id);
      assert.deepEqual(
        [state, cause, paid],
        ["Refunded", "stopped", shareOf(job.terms.price, job.terms.stop.floor)],
      );
      assert.equal(await provider.owed(provider.account, ZERO_ADDRESS), before + paid!);
    });

    test("a run that is missed can be left by anyone, and costs the stake", async () => {
      const before = (await requester.offer(provider.account))!;
      const id = await accepted();
      assert.equal((await requester.offer(provider.account))!.lockedStake, 10n ** 16n);
      await pass(id);
      await send(chain.market(9), { kind: "expire", job: await now(id) });
      assert.equal((await now(id)).state, "Refunded");
      const offer = (await requester.offer(provider.account))!;
      assert.deepEqual([offer.stake, offer.lockedStake], [before.stake - 10n ** 16n, 0n]);
      assert.equal(offer.ratingAsProvider.outcomes.late, 1);
    });

    test("a requester that appoints nobody has validators drawn", async () => {
      const id = await submitted();
      await pass(id);
      const [market] = await pick(id, 1);
      const own = { ...found, salt: random32() };
      await send(provider, {
        kind: "handover",
        job: await now(id),
        validator: market!.account,
        sealed: "0xdd",
      });
      await commit(id, market!, own);
      await send(market!, { kind: "reveal", job: await now(id), own, providers: found });
      assert.deepEqual(state(await now(id)), ["Validated", "pass"]);
      await send(provider, { kind: "claim", job: await now(id), blindedKey });
      // The draw was the provider's alone: its requester may still challenge what it decided.
      assert.equal((await now(id)).state, "Claimed");
      await pass(id);
      await send(provider, { kind: "settle", job: await now(id) });
      assert.equal((await now(id)).state, "Settled");
    });

    test("who abstains or is silent is replaced by draw once; who is seated then decides", async () => {
      const [anna, bert] = validators;
      const id = await appointed([anna!, bert!]);
      await send(anna!, { kind: "abstain", job: await now(id), reason: "busy" });
      assert.deepEqual((await now(id)).validations.map(({ abstained }) => abstained).toSorted(), [
        false,
        true,
      ]);
      await pass(id);
      await send(requester, { kind: "dismiss", job: await now(id) });
      const panel = await drawn(id);
      assert.equal(panel.length, 2);
      const owns = panel.map(() => ({ ...found, salt: random32() }));
      for (const [i, market] of panel.entries()) await commit(id, market, owns[i]!);
      for (const [i, market] of panel.entries()) {
        await send(market, { kind: "reveal", job: await now(id), own: owns[i]!, providers: found });
      }
      assert.deepEqual(state(await now(id)), ["Validated", "pass"]);
      await pass(id);
      await send(requester, { kind: "expire", job: await now(id) });
      assert.equal((await now(id)).state, "Refunded");
    });

    test("rejected, appealed, and overruled by a panel of three others", async () => {
      const [anna] = validators;
      const id = await appointed([anna!]);
      const wrong = { digest: random32(), score: 1n, salt: random32() };
      await commit(id, anna!, wrong);
      await send(anna!, { kind: "reveal", job: await now(id), own: wrong, providers: found });
      assert.deepEqual(state(await now(id)), ["Rejected", "fail"]);
      await send(provider, { kind: "appeal", job: await now(id) });
      assert.deepEqual(state(await now(id)), ["Validating", "none"]);
      const panel = await drawn(id);
      assert.equal(panel.length, 3);
      const owns = panel.map(() => ({ ...found, salt: random32() }));
      for (const [i, market] of panel.entries()) await commit(id, market, owns[i]!);
      for (const [i, market] of panel.entries()) {
        await send(market, { kind: "reveal", job: await now(id), own: owns[i]!, providers: found });
      }
      assert.deepEqual(state(await now(id)), ["Validated", "pass"]);
      await send(provider, { kind: "claim", job: await now(id), blindedKey });
      assert.equal((await now(id)).state, "Settled");
      assert.equal((await requester.offer(anna!.account))?.ratingAsValidator.outcomes.rejected, 1);
    });

    test("a validator that hides is slashed, and the round ends without it", async () => {
      const [, bert] = validators;
      const id = await appointed([bert!]);
      await commit(id, bert!, { ...found, salt: random32() });
      await pass(id);
      await send(requester, { kind: "conclude", job: await now(id) });
      assert.deepEqual(state(await now(id)), ["Inconclusive", "inconclusive"]);
      await pass(id);
      await send(requester, { kind: "settle", job: await now(id) });
      assert.equal((await now(id)).state, "Refunded");
      assert.equal((await requester.offer(bert!.account))?.ratingAsValidator.outcomes.hid, 1);
    });

    test("a draw that finds nobody is over all the same", async () => {
      const id = await submitted({ validatorFee: 0n });
      await pass(id);
      assert.deepEqual(await pick(id, 1), []);
      const job = await now(id);
      assert.equal(job.drawing, false);
      assert.deepEqual(state(job), ["Inconclusive", "inconclusive"]);
      await pass(id);
      await send(requester, { kind: "settle", job });
      assert.equal((await now(id)).state, "Refunded");
    });

    test("stake leaves after its cooldown", async () => {
      const market = validators.at(-1)!;
      const { stake } = (await market.offer(market.account))!;
      await send(market, { kind: "requestWithdrawal", amount: 1000n });
      assert.equal((await market.offer(market.account))!.stake, stake - 1000n);
      await chain.node.increaseTime(61);
      const before = await market.balance(market.account);
      const { fee } = await send(market, { kind: "withdrawStake" });
      assert.equal(await market.balance(market.account), before + 1000n - fee);
      assert.ok((await requester.owed(requester.account, ZERO_ADDRESS)) > 0n);
    });

    test("these paths have met every event that the escrow can emit", async () => {
      assert.deepEqual(await registry.unseenEvents(), []);
    });
  });
}
