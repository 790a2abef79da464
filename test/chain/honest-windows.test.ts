import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import type { Addresses } from "../../src/chain/addresses.ts";
import type { Address } from "../../src/protocol/ids.ts";
import type { Job } from "../../src/protocol/job/job.ts";
import { modes } from "../../src/protocol/job/state.ts";
import type { Terms } from "../../src/protocol/job/terms.ts";
import { outlineOf, postedWindows } from "../../src/protocol/policy/outline.ts";
import { policySchema, refuseTerms, refuseWork } from "../../src/protocol/policy/policy.ts";
import type { Refusal } from "../../src/protocol/policy/refusal.ts";
import { coinTender } from "../../src/protocol/policy/tender.ts";
import {
  INCLUSION_BLOCKS,
  type Pace,
  TRIES,
  WORK_SECONDS,
  windowBounds,
} from "../../src/protocol/policy/windows.ts";
import { type JobFile, jobFileSchema, specOf } from "../../src/protocol/task/spec.ts";
import { deployMarket, ETHER, join, type Market, POOL_STAKE } from "../support/chain/escrow.ts";
import { someTerms } from "../support/chain/terms.ts";
import { type Cast, type Hostility, LateParties, type Luck } from "../support/market/late-parties.ts";

const PLAYS = 24;
const SEED = 20;
const policy = policySchema.parse({});
const names = ["run", "appoint", "commit", "reveal", "claim", "challenge", "appeal"] as const;

/** Seconds beyond a window's bound; undefined leaves the window to the client. */
const beyond = fc.option(
  fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 3 }) },
    { weight: 2, arbitrary: fc.integer({ min: 4, max: 5000 }) },
  ),
  { nil: undefined, freq: 3 },
);
const job = fc.record({
  mode: fc.constantFrom(...modes),
  validators: fc.integer({ min: 0, max: 3 }),
  time: fc.integer({ min: 1, max: 7200 }),
  diskMiB: fc.integer({ min: 1, max: 512 }),
  bundleBytes: fc.integer({ min: 0, max: 2 ** 28 }),
  beyond: fc.record(Object.fromEntries(names.map((name) => [name, beyond])) as Record<Name, typeof beyond>),
});
type Name = (typeof names)[number];
type SomeJob = typeof job extends fc.Arbitrary<infer T> ? T : never;

const hostility: fc.Arbitrary<Hostility> = fc.record({
  appoints: fc.constantFrom("at once", "in the last second", "in the last second", "never"),
  names: fc.constantFrom("honest", "hostile"),
  seeds: fc.constantFrom("in the last second", "never"),
  votes: fc.constantFrom("in the last second", "in the last second", "hides", "never commits"),
  challenges: fc.boolean(),
});

const luck = ({ confirmations }: Pace): fc.Arbitrary<Luck> =>
  fc.oneof(
    fc.constant<Luck>({
      extra: Array<1>(TRIES).fill((INCLUSION_BLOCKS - 1) as 1),
      undone: Array<number>(TRIES - 1).fill(confirmations),
      ...{ stuck: true, workSeconds: WORK_SECONDS, share: 1 },
    }),
    fc.record({
      extra: fc.array(fc.constantFrom<0 | 1>(0, 1), { minLength: TRIES, maxLength: TRIES }),
      undone: fc.array(fc.integer({ min: 1, max: confirmations }), { maxLength: TRIES - 1 }),
      stuck: fc.boolean(),
      workSeconds: fc.double({ min: 0, max: WORK_SECONDS, noNaN: true }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  );

const sceneOn = (pace: Pace) =>
  fc.record({ job, hostility, lucks: fc.array(luck(pace), { minLength: 4, maxLength: 12 }) });
type Scene = ReturnType<typeof sceneOn> extends fc.Arbitrary<infer T> ? T : never;

/** What of the rules a play went through. */
function courseOf({ validations, appointed, draws, challenged, appealed }: Job): string[] {
  return [
    ...(validations.some(({ round }) => round === "first") ? ["first"] : []),
    ...(challenged ? ["challenge"] : []),
    ...(appealed ? ["appeal"] : []),
    ...(validations.some(({ abstained }) => abstained) ? ["refill"] : []),
    ...(draws > 0 ? [appointed ? "drawn later" : "drawn at once"] : []),
  ];
}

function fileOf({ mode, validators, time, diskMiB, bundleBytes, beyond }: SomeJob, pace: Pace): JobFile {
  const work = { time, fetchBytes: bundleBytes + diskMiB * 2 ** 20 };
  const bounds = windowBounds(policy, pace, mode, work);
  const windows = Object.fromEntries(
    names.flatMap((name) => {
      const seconds = beyond[name];
      return seconds === undefined ? [] : [[name, `${bounds[name].least + seconds}s`]];
    }),
  );
  return jobFileSchema.parse({
    ...{
      version: 1,
      name: "a",
      image: `sha256:${"ab".repeat(32)}`,
      command: ["x"],
      inputs: ["x"],
      outputs: ["y"],
    },
    resources: { time: `${time}s`, disk: `${diskMiB} MiB` },
    verification: {
      ...{ mode, threshold: 0.9, tolerance: 0.001 },
      ...(mode === "exam" ? { inputs: ["y"], validators: Math.max(1, validators) } : { validators }),
    },
    windows,
  });
}

describe("with the usual policy, no job.yaml takes an honest party's stake", () => {
  let market: Market;
  let cast: Cast;
  let addresses: Addresses;
  before(async () => {
    market = await deployMarket(13);
    const [, requester, provider, ...others] = market.actors;
    cast = {
      requester: requester!,
      provider: provider!,
      honest: others.slice(0, 7),
      hostile: others.slice(7),
    };
    for (const actor of [cast.provider, ...cast.honest]) await join(market, actor, ETHER, 32);
    // Below the pool's stake: its members are honest.
    for (const actor of cast.hostile) await join(market, actor, POOL_STAKE - 1n, 32);
    const [escrow, registry, rating] = await Promise.all(
      [market.escrow, market.registry, market.rating].map((one) => one.getAddress() as Promise<Address>),
    );
    addresses = { escrow: escrow!, registry: registry!, rating: rating! };
  });
  after(() => market.close());

  /** Terms as `submit` makes them of a job file, from a block's time on. */
  function termsOf(file: JobFile, { bundleBytes }: SomeJob, pace: Pace, start: number): Terms {
    const facts = { pace, gasPrice: 10n ** 9n, dataFee: 0n, poolStake: POOL_STAKE };
    const windows = postedWindows(file, { pace }, bundleBytes);
    const { validators } = file.verification;
    const tender = coinTender(policy);
    const { validationFee: validatorFee } = tender;
    const money = outlineOf(file, {}, { tender, validatorFee, validators }, facts);
    const { accept, ...rest } = windows;
    return someTerms(cast.requester.address, cast.provider.address, {
      ...{ price: money.price, validatorFee, providerStake: money.providerStake },
      ...{ validatorStake: money.validatorStake, validators, mode: file.verification.mode },
      ...{ acceptBy: start + accept, windows: rest, tolerance: 1_000_000n },
    });
  }
  function judge(file: JobFile, terms: Terms, { bundleBytes }: SomeJob, pace: Pace, now: number) {
    const facts = { pace, gasPrice: 10n ** 9n, dataFee: 0n, poolStake: POOL_STAKE };
    const spec = specOf(file, file.image as string);
    const refused: (Refusal | undefined)[] = [];
    for (const role of ["provider", "validator"] as const)
      refused.push(
        refuseTerms(policy, terms, role, now, facts) ??
          refuseWork(policy, terms, { spec, bundleBytes }, pace),
      );
    return refused;
  }

  /** Judges a job by one pace and plays it at another. */
  async function playThrough(judged: Pace, pace: Pace, { job, hostility, lucks }: Scene): Promise<Job> {
    const start = (await market.now()) + 60;
    const file = fileOf(job, judged);
    const terms = termsOf(file, job, judged, start);
    assert.deepEqual(judge(file, terms, job, judged, start), [undefined, undefined]);
    const fetchBytes = job.bundleBytes + job.diskMiB * 2 ** 20;
    let turn = 0;
    const luck = () => lucks[turn++ % lucks.length]!;
    const play = { pace, terms, hostility, time: job.time, fetchBytes, luck };
    const snapshot = await market.rpc("evm_snapshot");
    const block = await market.provider.getBlockNumber();
    try {
      const ended = await new LateParties(market, cast, play, start, addresses).play();
      const honest = [cast.provider, ...cast.honest].map(({ address }) => address);
      for (const log of await market.registry.queryFilter(market.registry.filters.Slashed!(), block + 1)) {
        const { account } = market.registry.interface.parseLog(log)!.args;
        assert.ok(!honest.includes(account), `honest ${account} lost its stake`);
      }
      return ended;
    } finally {
      await market.rpc("evm_revert", snapshot);
    }
  }

  const seen = new Set<string>();
  for (const blockSeconds of [12, 2, 0.25]) {
    for (const confirmations of [1, 3, 12]) {
      const pace: Pace = { blockSeconds, confirmations };
      test(`with a block every ${blockSeconds} s, at ${confirmations} confirmations`, async () => {
        const property = fc.asyncProperty(sceneOn(pace), async (scene) => {
          const ended = await playThrough(pace, pace, scene);
          // Not only the stake: honest work is paid, whatever its requester does.
          assert.equal(ended.state, "Settled");
          for (const one of courseOf(ended)) seen.add(one);
        });
        const seed = SEED + 100 * blockSeconds + confirmations;
        await fc.assert(property, { numRuns: PLAYS, seed, endOnFailure: true });
      });

      test(`and a window a second shorter is refused (${blockSeconds} s, ${confirmations} confirmations)`, () => {
        fc.assert(
          fc.property(job, fc.constantFrom(...names), fc.integer({ min: 1, max: 60 }), (job, name, less) => {
            const start = 2_000_000_000;
            const short = { ...job, beyond: { ...job.beyond, [name]: -less } };
            const file = fileOf(short, pace);
            const terms = termsOf(file, short, pace, start);
            const [provider, validator] = judge(file, terms, short, pace, start);
            assert.deepEqual([provider?.code, validator?.code], ["WINDOW_TOO_SHORT", "WINDOW_TOO_SHORT"]);
            assert.equal(provider?.fix?.field, `windows.${name}`);
          }),
          { numRuns: 50, seed: SEED },
        );
      });
    }
  }

  test("and the plays went through every round and kind of draw", () => {
    const wanted = ["first", "challenge", "appeal", "refill", "drawn later", "drawn at once"];
    assert.deepEqual([...seen].sort(), wanted.sort());
  });

  test("but a chain that has become eight times as slow since does make honest parties late", async () => {
    const judged: Pace = { blockSeconds: 12, confirmations: 12 };
    const slow: Pace = { ...judged, blockSeconds: 96 };
    const property = fc.asyncProperty(sceneOn(judged), async (scene) => {
      await playThrough(judged, slow, scene);
    });
    const { failed, errorInstance } = await fc.check(property, {
      numRuns: PLAYS,
      seed: SEED,
      endOnFailure: true,
    });
    assert.ok(failed);
    assert.match(String(errorInstance), /TooLate/);
  });
});
