import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Call, Market } from "../../src/ports/market.ts";
import { type Hex, sameAddress, ZERO_ADDRESS } from "../../src/protocol/ids.ts";
import { keyCommitment } from "../../src/protocol/job/exchange.ts";
import { type Measurement, measurementCommitment } from "../../src/protocol/job/measurement.ts";
import { branchesOf } from "../../src/protocol/policy/quote.ts";
import { send as sendCall, someOffer, startChain, type TestChain } from "../support/chain/chain.ts";
import { opening, providerSeed, providerTip, requesterTip } from "../support/chain/secrets.ts";
import { random32, someTerms } from "../support/chain/terms.ts";

const STAKE = 10n ** 18n;

/** Whether a validator finds the result right; `short`: right, and below the threshold. */
type Found = boolean | "short";

describe("what a quote says of an ending is what the contracts take", () => {
  let chain: TestChain;
  let [requester, stranger] = [] as unknown as [Market, Market];
  /** Several, since the third slashing bans. */
  let providers: Market[];
  let jobs = 0;
  let validators: Market[];
  before(async () => {
    chain = await startChain({ poolStake: STAKE / 10n, accounts: 12 });
    [requester, stranger] = [chain.market(1), chain.market(2)];
    validators = [3, 4, 5, 6, 7].map((index) => chain.market(index));
    providers = [8, 9, 10, 11].map((index) => chain.market(index));
    for (const market of [...providers, ...validators]) {
      const role = { provider: providers.includes(market), validator: validators.includes(market) };
      await sendCall(market, { kind: "publish", offer: someOffer(role) });
      await sendCall(market, { kind: "deposit", amount: STAKE });
    }
  });
  after(() => chain.stop());

  /** One job, what its requester paid for gas, and the calls that its parties make. */
  async function begin(seats: number) {
    const wealth = async () =>
      (await requester.balance(requester.account)) + (await requester.owed(requester.account, ZERO_ADDRESS));
    const provider = providers[jobs++ % providers.length]!;
    const [before, acceptBy] = [await wealth(), (await requester.now()) + 3600];
    const terms = someTerms(requester.account, provider.account, {
      ...{ acceptBy, validators: seats, threshold: 948_000_000n },
    });
    const id = requester.jobIdOf(terms);
    const theirs: Measurement = { digest: random32(), score: 950_000_000n, salt: random32() };
    const [blindedKey, owns] = [random32(), new Map<Market, Measurement>()];
    let gas = 0n;
    const job = () => requester.job(id);
    const send = async (market: Market, call: Call) => {
      const { fee } = await sendCall(market, call);
      if (market === requester) gas += fee;
    };
    const measure = async (panel: readonly Market[], right: readonly Found[]) => {
      for (const [i, market] of panel.entries()) {
        const found = right[i];
        const short = found === "short" ? { score: 947_000_000n } : {};
        const own = { ...theirs, ...(found ? short : { digest: random32() }), salt: random32() };
        owns.set(market, own);
        const commitment = measurementCommitment(id, market.account, own);
        await send(market, { kind: "commit", job: await job(), commitment });
      }
      for (const market of panel)
        await send(market, { kind: "reveal", job: await job(), own: owns.get(market)!, providers: theirs });
    };
    await send(requester, { kind: "post", terms, seedTip: requesterTip, sealed: "0x5e" });
    return {
      accept: async () => send(provider, { kind: "accept", job: await job() }),
      submit: async () =>
        send(provider, {
          kind: "submit",
          job: await job(),
          resultRoot: random32(),
          measurementCommitment: measurementCommitment(id, provider.account, theirs),
          keyCommitment: keyCommitment(id, blindedKey),
          seedTip: providerTip,
          sealed: "0x5e",
        }),
      async validate(...right: Found[]) {
        const panel = validators.slice(0, right.length);
        const asked = panel.map(({ account }) => ({ address: account, sealed: "0xaa" as Hex }));
        await send(requester, { kind: "appoint", job: await job(), validators: asked });
        await measure(panel, right);
      },
      async draw(...right: Found[]) {
        const scheduled = await job();
        const seated = scheduled.validations.length;
        if (!scheduled.seeded) {
          await send(requester, { kind: "revealSeed", job: scheduled, ...opening(scheduled.draws) });
        }
        await send(provider, { kind: "draw", job: await job(), seed: providerSeed(scheduled.draws) });
        const drawn = (await job()).validations.slice(seated);
        assert.equal(drawn.length, right.length);
        const marketOf = (account: Hex) => validators.find((one) => sameAddress(one.account, account))!;
        await measure(
          drawn.map(({ validator }) => marketOf(validator)),
          right,
        );
      },
      claim: async () => send(provider, { kind: "claim", job: await job(), blindedKey }),
      appeal: async () => send(provider, { kind: "appeal", job: await job() }),
      challenge: async () => send(requester, { kind: "challenge", job: await job(), ...opening(1) }),
      by: async (market: Market, kind: "cancel" | "settle" | "expire") =>
        send(market, { kind, job: await job() }),
      release: async () => send(provider, { kind: "release", job: await job(), reason: "no" }),
      stop: async () => send(requester, { kind: "stop", job: await job() }),
      async pass(beyond = 30) {
        const { deadline } = await job();
        await chain.node.increaseTime(Math.max(0, deadline! - (await requester.now())) + beyond);
      },
      /** What the requester has lost, gas apart, against what was quoted. */
      async took(outcome: string) {
        const { accept, ...windows } = { accept: 3600, ...terms.windows };
        const branches = branchesOf({ ...terms, windows: { ...windows, accept } });
        const quoted = branches.find((branch) => branch.outcome === outcome)!.loss;
        assert.equal(before - (await wealth()) - gas, quoted, outcome);
      },
    };
  }
  type Begun = Awaited<ReturnType<typeof begin>>;

  const endings: Readonly<Record<string, (job: Begun) => Promise<void>>> = {
    cancelled: async (job) => {
      await job.pass();
      await job.by(stranger, "cancel");
    },
    released: async (job) => {
      await job.accept();
      await job.release();
    },
    late: async (job) => {
      await job.accept();
      await job.pass();
      await job.by(stranger, "expire");
    },
    settled: async (job) => {
      await job.accept();
      await job.submit();
      await job.validate(true, true);
      await job.claim();
    },
    unclaimed: async (job) => {
      await job.accept();
      await job.submit();
      await job.validate(true, true);
      await job.pass();
      await job.by(stranger, "expire");
    },
    stopped: async (job) => {
      await job.accept();
      await job.pass(-40);
      await job.stop();
    },
    unmet: async (job) => {
      await job.accept();
      await job.submit();
      await job.validate("short", "short");
      await job.pass();
      await job.by(stranger, "settle");
    },
    rejected: async (job) => {
      await job.accept();
      await job.submit();
      await job.validate(false, false);
      await job.pass();
      await job.by(stranger, "settle");
    },
    overruled: async (job) => {
      await job.accept();
      await job.submit();
      await job.validate(false, false);
      await job.appeal();
      await job.draw(true, true, true);
      await job.claim();
    },
    inconclusive: async (job) => {
      await job.accept();
      await job.submit();
      await job.validate(true, false);
      await job.pass();
      await job.by(stranger, "settle");
    },
  };
  const optimistic = (end: (job: Begun) => Promise<void>) => async (job: Begun) => {
    await job.accept();
    await job.submit();
    await end(job);
  };
  const disputed = (...right: Found[]) =>
    optimistic(async (job) => {
      await job.claim();
      await job.challenge();
      await job.draw(...right);
      if (!right[0]) await job.pass();
      await job.by(stranger, "settle");
    });
  const withoutValidators: typeof endings = {
    stopped: endings.stopped!,
    unclaimed: optimistic(async (job) => {
      await job.pass();
      await job.by(stranger, "expire");
    }),
    settled: optimistic(async (job) => {
      await job.claim();
      await job.pass();
      await job.by(stranger, "settle");
    }),
    "challenge-won": disputed(false, false, false),
    "challenge-lost": disputed(true, true, true),
  };

  for (const [seats, all] of [
    [2, endings],
    [0, withoutValidators],
  ] as const) {
    for (const [outcome, end] of Object.entries(all)) {
      it(`${outcome}, with ${seats} validators`, async () => {
        const job = await begin(seats);
        await end(job);
        await job.took(outcome);
      });
    }
  }
});
