import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ErrorCode } from "../../../../../src/errors/catalogue.ts";
import { isIchainError } from "../../../../../src/errors/error.ts";
import type { Audit } from "../../../../../src/protocol/policy/audit.ts";
import { policySchema, refuseTerms } from "../../../../../src/protocol/policy/policy.ts";
import { jobFileSchema } from "../../../../../src/protocol/task/spec.ts";
import { findCandidates, makePlan, type Plan } from "../../../../../src/roles/job/requester/posting/plan.ts";
import { chainFacts } from "../../../../../src/roles/shared/chain-facts.ts";
import { send, someOffer, startChain, type TestChain } from "../../../../support/chain/chain.ts";
import { someTerms } from "../../../../support/chain/terms.ts";

const COIN = 10n ** 18n;
const waits = { signal: AbortSignal.timeout(120_000) };
const audit: Audit = { streak: 0, probability: 1, chance: 0, validated: true };
const jobFile = (change: object = {}) =>
  jobFileSchema.parse({
    ...{ version: 1, name: "a", image: "python-ml", command: ["x"], inputs: ["x"], outputs: ["y"] },
    ...{ verification: { threshold: 0 }, ...change },
  });

describe("a plan", () => {
  let chain: TestChain;
  before(async () => {
    chain = await startChain({ poolStake: COIN });
    const offer = async (index: number, roles: { provider: boolean; validator: boolean }, stake: bigint) => {
      const market = chain.market(index);
      const floors = { priceFloor: COIN / 100n, feeFloor: COIN / 1000n };
      const { details } = someOffer();
      const gpus = [{ model: "NVIDIA L40S", memoryBytes: 45 * 2 ** 30, driver: "550.54", count: 2 }];
      const described = { ...details, gpus };
      await send(market, { kind: "publish", offer: someOffer({ ...roles, ...floors, details: described }) });
      await send(market, { kind: "deposit", amount: stake });
    };
    await offer(2, { provider: true, validator: false }, COIN);
    await offer(3, { provider: false, validator: true }, (11n * COIN) / 10n);
  });
  after(() => chain.stop());

  async function plan(change?: object): Promise<Plan> {
    const file = jobFile(change);
    const requester = chain.market(1);
    const candidates = await findCandidates(requester, file, requester.account, waits);
    const [provider] = candidates.providers;
    const fit = candidates.validatorsFor(provider!);
    return makePlan(file, candidates, { provider: provider!, validators: fit, fit, audit });
  }
  const fails = (change: object, code: ErrorCode) =>
    assert.rejects(plan(change), (error) => isIchainError(error, code));

  test("pays for the run window, with terms that provider and validator accept", async () => {
    const { outline, provider, validators } = await plan();
    assert.equal(outline.windows.run, 3 * 600 + 600);
    assert.equal(outline.price, ((COIN / 100n) * 2400n) / 3600n + 1n);
    assert.equal(outline.providerStake, outline.price);
    assert.equal(outline.validatorStake, (outline.price + 1n) / 2n);
    const { windows, ...money } = outline;
    const { accept, ...rest } = windows;
    const now = await chain.market(1).now(waits);
    const terms = {
      ...someTerms(chain.market(1).account, provider.account),
      ...{ ...money, windows: rest, acceptBy: now + accept, validators: validators.length },
    };
    const facts = await chainFacts(chain.market(2), waits);
    for (const role of ["provider", "validator"] as const)
      assert.equal(refuseTerms(policySchema.parse({}), terms, role, now, facts), undefined);
  });

  test("pays at least the bond of an appeal", async () => {
    const { outline } = await plan({ validatorFee: "0.05" });
    assert.equal(outline.price, (3n * COIN) / 20n);
  });

  test("is not made with parties that have too little stake", async () => {
    await fails({ price: "1.5" }, "NO_PROVIDER");
    await fails({ price: "0.5" }, "NO_VALIDATOR"); // of its 1.1 coin, 1 is for draws
    await fails({ validatorFee: "0.2" }, "NO_VALIDATOR"); // three of it is the price, half of that the stake
  });

  test("says why each provider cannot have the job", async () => {
    for (const [change, why] of [
      [{ price: "1.5" }, "has too little stake left"],
      [{ price: "0.001" }, "asks for more than the job pays"],
      [{ resources: { cpus: 1024 } }, "CPUs, not 1024"],
    ] as const)
      await assert.rejects(
        plan(change),
        (error) => isIchainError(error, "NO_PROVIDER") && error.hint?.includes(why) === true,
      );
  });

  test("is not made with accounts that the requester avoids, in whichever case they are written", async () => {
    const [provider, validator] = [2, 3].map((index) => chain.market(index).account);
    await assert.rejects(
      plan({ avoid: [provider!.toLowerCase()] }),
      (error) =>
        isIchainError(error, "NO_PROVIDER") && error.hint?.includes("is one that you avoid") === true,
    );
    await fails({ avoid: [validator] }, "NO_VALIDATOR");
  });

  test("is not made with windows, resources or money that the usual policy refuses", async () => {
    await fails({ windows: { reveal: "5m" } }, "WINDOW_TOO_SHORT");
    await fails({ windows: { accept: "1s" } }, "WINDOW_TOO_SHORT");
    await fails({ windows: { claim: "8d" } }, "WINDOW_TOO_LONG");
    await fails({ resources: { memory: "1 MiB" } }, "MEMORY_TOO_SMALL");
    await fails({ price: "0.1", validatorFee: "0.04" }, "BOND_TOO_HIGH");
  });

  test("is made with GPUs that are on offer, and names what of them nobody has", async () => {
    const asked = (gpus: unknown) => ({ resources: { gpus } });
    const fit = await plan(asked({ count: 2, model: "*l40s", memory: "40 GiB", driver: 550 }));
    assert.deepEqual(fit.spec.resources.gpu, { models: ["*l40s"], memory: 40 * 2 ** 30, driver: "550" });
    await assert.rejects(plan(asked({ model: "NVIDIA H100*" })), (error) => {
      assert.ok(isIchainError(error, "GPU_NOT_OFFERED"));
      assert.deepEqual(error.details, { models: ["NVIDIA L40S"] });
      return true;
    });
    for (const gpus of [3, { memory: "46 GiB" }, { driver: "551" }])
      await fails(asked(gpus), "GPU_NOT_OFFERED");
  });
});
