import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockClock, between, followFirstJob, statesOf } from "../../src/devnet/timeline.ts";
import type { Hex } from "../../src/protocol/ids.ts";
import { keyCommitment } from "../../src/protocol/job/exchange.ts";
import { type Measurement, measurementCommitment } from "../../src/protocol/job/measurement.ts";
import { send, someOffer, startChain } from "../support/chain/chain.ts";
import { providerTip, requesterTip } from "../support/chain/secrets.ts";
import { random32, someTerms } from "../support/chain/terms.ts";

const SEALED = "0x5ea1ed" as Hex;

test("a state that nobody saw as it passed has taken its time too", async (t) => {
  const chain = await startChain();
  t.after(() => chain.stop());
  const [requester, provider, validator] = [chain.market(1), chain.market(2), chain.market(3)];
  for (const market of [provider, validator]) {
    await send(market, { kind: "publish", offer: someOffer() });
    await send(market, { kind: "deposit", amount: 10n ** 18n });
  }
  const network = {
    name: "devnet",
    chainId: chain.node.chainId,
    rpcUrl: chain.node.rpcUrl,
    contracts: { ...chain.addresses },
    confirmations: 1,
    tokens: {},
    pollMs: 50,
  };
  using clock = new BlockClock(chain.node.rpcUrl);
  const stop = new AbortController();
  // It looks once a minute: whatever happens in between it does not see.
  const sleepy = chain.market(undefined, { pollMs: 60_000 });

  const terms = someTerms(requester.account, provider.account);
  const id = requester.jobIdOf(terms);
  const began = performance.now();
  await send(requester, { kind: "post", terms, seedTip: requesterTip, sealed: SEALED });
  await send(provider, { kind: "accept", job: await provider.job(id) });
  const blindedKey = random32();
  const found: Measurement = { digest: random32(), score: 973_000_000n, salt: random32() };
  const own: Measurement = { ...found, salt: random32() };
  await send(provider, {
    kind: "submit",
    job: await provider.job(id),
    resultRoot: random32(),
    measurementCommitment: measurementCommitment(id, provider.account, found),
    keyCommitment: keyCommitment(id, blindedKey),
    seedTip: providerTip,
    sealed: SEALED,
  });
  const validators = [{ address: validator.account, sealed: SEALED }];
  await send(requester, { kind: "appoint", job: await requester.job(id), validators });
  const commitment = measurementCommitment(id, validator.account, own);
  await send(validator, { kind: "commit", job: await validator.job(id), commitment });
  const judged = performance.now();
  await send(validator, { kind: "reveal", job: await validator.job(id), own, providers: found });
  await send(provider, { kind: "claim", job: await provider.job(id), blindedKey });
  const ended = performance.now();

  const states: string[] = [];
  const job = await followFirstJob(sleepy, requester.account, ({ state }) => states.push(state), stop);
  assert.deepEqual(states, ["Settled"]);
  const timeline = { job, at: await statesOf(network, id, clock) };
  assert.deepEqual(
    [...timeline.at.keys()],
    ["Posted", "Accepted", "Submitted", "Validating", "Validated", "Claimed", "Settled"],
  );
  const validated = between(timeline, "Validating", "Validated")!;
  const claimed = between(timeline, "Validated", "Settled")!;
  const whole = between(timeline, "Posted", "Settled")!;
  assert.ok(validated > 0 && claimed > 0, `${validated} s, ${claimed} s`);
  assert.ok(claimed <= (ended - judged) / 1000 && validated + claimed <= whole);
  assert.ok(whole <= (ended - began) / 1000);
  assert.equal(between(timeline, "Rejected", "Settled"), undefined);
});
