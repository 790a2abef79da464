import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Market } from "../../../../../src/ports/market.ts";
import { keyCommitment } from "../../../../../src/protocol/job/exchange.ts";
import { type Measurement, measurementCommitment } from "../../../../../src/protocol/job/measurement.ts";
import { auditPolicySchema } from "../../../../../src/protocol/policy/audit.ts";
import { audit } from "../../../../../src/roles/job/requester/posting/plan.ts";
import { send, someOffer, startChain, type TestChain } from "../../../../support/chain/chain.ts";
import { providerTip, requesterTip } from "../../../../support/chain/secrets.ts";
import { random32, someTerms } from "../../../../support/chain/terms.ts";

const waits = { signal: AbortSignal.timeout(300_000) };
const policy = auditPolicySchema.parse({ validate: "earned", after: 3 });

describe("a job of a provider", () => {
  let chain: TestChain;
  let [requester, provider, validator] = [] as unknown as [Market, Market, Market];
  before(async () => {
    chain = await startChain();
    [requester, provider, validator] = [chain.market(1), chain.market(2), chain.market(3)];
    for (const market of [provider, validator]) {
      await send(market, { kind: "publish", offer: someOffer() });
      await send(market, { kind: "deposit", amount: 10n ** 18n });
    }
  });
  after(() => chain.stop());

  const requesting = () => ({ market: requester, account: requester.account });
  const decided = (chance: number) => audit(requesting(), provider.account, policy, waits, () => chance);

  async function job({ honest, by = requester }: { honest: boolean; by?: Market }): Promise<void> {
    const terms = someTerms(by.account, provider.account);
    const id = by.jobIdOf(terms);
    const now = () => by.job(id);
    const blindedKey = random32();
    const theirs: Measurement = { digest: random32(), score: 950_000_000n, salt: random32() };
    const own: Measurement = { ...theirs, ...(honest ? {} : { digest: random32() }), salt: random32() };
    await send(by, { kind: "post", terms, seedTip: requesterTip, sealed: "0x5e" });
    await send(provider, { kind: "accept", job: await now() });
    await send(provider, {
      kind: "submit",
      job: await now(),
      resultRoot: random32(),
      measurementCommitment: measurementCommitment(id, provider.account, theirs),
      keyCommitment: keyCommitment(id, blindedKey),
      seedTip: providerTip,
      sealed: "0x5e",
    });
    const validators = [{ address: validator.account, sealed: "0x5e" as const }];
    await send(by, { kind: "appoint", job: await now(), validators });
    const commitment = measurementCommitment(id, validator.account, own);
    await send(validator, { kind: "commit", job: await now(), commitment });
    await send(validator, { kind: "reveal", job: await now(), own, providers: theirs });
    if (honest) await send(provider, { kind: "claim", job: await now(), blindedKey });
  }

  it("is validated while this requester has no record of it", async () => {
    await job({ honest: true, by: chain.market(4) });
    assert.deepEqual(await decided(0.99), { streak: 0, probability: 1, chance: 0.99, validated: true });
  });

  it("is validated by chance once the record is long enough", async () => {
    for (let i = 0; i < 2; i += 1) await job({ honest: true });
    assert.equal((await decided(0.99)).validated, true);
    await job({ honest: true });
    assert.deepEqual(await decided(0.34), { streak: 3, probability: 1 / 3, chance: 0.34, validated: false });
    assert.equal((await decided(0.33)).validated, true);
    const drawn = await audit(requesting(), provider.account, policy, waits);
    assert.ok(drawn.chance >= 0 && drawn.chance < 1);
  });

  it("is validated always after a rejection", async () => {
    await job({ honest: false });
    assert.deepEqual(await decided(0.99), { streak: 0, probability: 1, chance: 0.99, validated: true });
  });
});
