import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { Contract, type EventLog, JsonRpcProvider, type TypedDataField, Wallet } from "ethers";
import fc from "fast-check";
import { artifactOf } from "../../src/chain/abi/artifacts.ts";
import { deployTestToken } from "../../src/chain/deploy.ts";
import type { ErrorCode } from "../../src/errors/catalogue.ts";
import { isIchainError } from "../../src/errors/error.ts";
import { openJournal } from "../../src/journal/journal.ts";
import type { FederatedCall } from "../../src/ports/market/federated.ts";
import type { Market } from "../../src/ports/market.ts";
import { recordHash, signRecord } from "../../src/protocol/federated/ledger/record.ts";
import { payLeaf, proofOf, treeRoot } from "../../src/protocol/federated/ledger/tree.ts";
import {
  type Closing,
  closedHash,
  findingCommitment,
  findingOf,
} from "../../src/protocol/federated/market/closing.ts";
import { federatedStates } from "../../src/protocol/federated/market/events.ts";
import { CLAIM_WINDOW, canSweep } from "../../src/protocol/federated/market/exits.ts";
import { memberOf } from "../../src/protocol/federated/market/fold.ts";
import { type Dispute, type FederatedJob, unclaimedOf } from "../../src/protocol/federated/market/job.ts";
import {
  admissionTypes,
  closingTypes,
  federatedDomain,
  strikeTypes,
} from "../../src/protocol/federated/market/signatures.ts";
import { type FederatedTerms, seedHash } from "../../src/protocol/federated/market/terms.ts";
import { type Address, type Hex, type JobId, sameAddress, ZERO_ADDRESS } from "../../src/protocol/ids.ts";
import { policySchema } from "../../src/protocol/policy/policy.ts";
import type { WorkerContext } from "../../src/roles/context.ts";
import { examineBooks } from "../../src/roles/federated/market/provider/challenge.ts";
import type { RoundBasis } from "../../src/roles/federated/market/requester/draft.ts";
import { closeBooks } from "../../src/roles/federated/market/requester/round/books.ts";
import { sweepUnclaimed } from "../../src/roles/federated/market/requester/sweep.ts";
import { send, someOffer, startChain, type TestChain } from "../support/chain/chain.ts";
import { controls } from "../support/chain/evm.ts";
import { readRegistry } from "../support/chain/registry.ts";
import { random32 } from "../support/chain/terms.ts";

const ETHER = 10n ** 18n;
const WINDOW = 600;
const REQUESTER = 1;
const PROVIDERS = [2, 3, 4];
const VALIDATORS = [5, 6, 7, 8, 9, 10, 11, 12];
const STRANGER = 13;
const SEED = random32();
const SALT = random32();
const NOTHING = `0x${"0".repeat(64)}` as Hex;
/** Of the contract, in its order. */
const STANDINGS = [
  ...(["none", "enlisted", "seated", "struck", "appealing", "condemned", "slashed", "released"] as const),
];
/** Words of the contract's panel, as bytes32 text. */
const word = (text: string) => `0x${Buffer.from(text).toString("hex").padEnd(64, "0")}` as Hex;
const hasCode = (code: ErrorCode) => (error: unknown) => isIchainError(error, code);

describe("federated jobs on the market", () => {
  let chain: TestChain;
  let evm: ReturnType<typeof controls>;
  let registry: ReturnType<typeof readRegistry>;
  let provider: JsonRpcProvider;
  let escrow: Contract;

  before(async () => {
    chain = await startChain({ accounts: STRANGER + 1 });
    evm = controls(chain.node);
    registry = readRegistry(chain);
    provider = new JsonRpcProvider(chain.node.rpcUrl, chain.node.chainId, {
      ...{ staticNetwork: true, cacheTimeout: -1 },
    });
    escrow = new Contract(chain.addresses.federated!, artifactOf("FederatedEscrow").abi, provider);
    const join = async (index: number, validator: boolean) => {
      const market = chain.market(index);
      await send(market, { kind: "publish", offer: someOffer({ validator, provider: !validator }) });
      await send(market, { kind: "deposit", amount: ETHER });
      await market.stop();
    };
    for (const index of PROVIDERS) await join(index, false);
    for (const index of VALIDATORS) await join(index, true);
    await chain.node.increaseTime(2);
  });
  after(async () => {
    registry.close();
    provider.destroy();
    await chain.stop();
  });

  /** What the index says is what the contracts answer: the job, its parties and their offers. */
  async function compare(reader: Market, id: JobId): Promise<FederatedJob> {
    const job = await reader.federatedJob(id);
    const stored = (await escrow.getFunction("jobOf")(id)).toObject();
    assert.deepEqual(
      { state: job.state, deadline: job.deadline, closed: job.closings.length, stopping: job.stopping },
      {
        ...{ state: federatedStates[Number(stored.state)], deadline: Number(stored.deadline) },
        ...{ closed: Number(stored.closed), stopping: stored.stopping },
      },
    );
    const tip = job.closings.at(-1);
    assert.equal(tip === undefined ? NOTHING : closedHash(tip), await escrow.getFunction("tipOf")(id));
    const check = async (index: number) => {
      const { address } = chain.node.accounts[index]!;
      const account = (await escrow.getFunction("accountOf")(id, address)).toObject();
      const member = job.members.find((each) => sameAddress(each.account, address));
      const { standing, seat, asserted, claimed } = member ?? {
        ...{ standing: "none", seat: false, asserted: 0, claimed: 0n },
      };
      assert.deepEqual(
        { standing, seat, asserted, claimed },
        {
          ...{ standing: STANDINGS[Number(account.standing)], seat: account.seat },
          ...{ asserted: Number(account.asserted), claimed: account.claimed },
        },
      );
      assert.deepEqual(await reader.offer(address), await registry.offer(address), `offer of ${index}`);
      if (member === undefined) return;
      const found = await reader.federatedJobs({ [seat ? "validator" : "provider"]: address });
      assert.ok(found.some((each) => each.id === id));
    };
    await Promise.all([...PROVIDERS, ...VALIDATORS].map(check));
    return job;
  }

  /** What the provider's record says of the job follows from the escrow's events about both. */
  async function comparePast(reader: Market, { id, terms }: FederatedJob, provider: Address): Promise<void> {
    const told = async (name: string, ...topics: unknown[]) => {
      const logs = await escrow.queryFilter(escrow.filters[name]!(id, ...topics));
      return logs.map((log) => (log as EventLog).args.toObject());
    };
    const paid = (await told("Claimed", provider)).reduce((sum, { amount }) => sum + amount, 0n);
    const slashed = (await told("StakeReleased", provider)).some((one) => one.slashed);
    const score = (await told("FederatedRated", terms.requester, provider))
      .map((one) => Number(one.score))
      .at(-1);
    const whose = { requester: terms.requester, validators: 0, federated: true, score };
    const wanted = slashed
      ? { ...whose, value: terms.providerStake, ended: "fault" }
      : { ...whose, value: paid, ended: "settled" };
    for await (const past of reader.pastJobs([provider])) {
      const isThere = past.some((one) => isDeepStrictEqual(one, wanted));
      assert.equal(isThere, slashed || paid > 0n, `record of ${provider}`);
      if (isThere) counted.add(wanted.ended);
    }
  }
  const counted = new Set<string>();

  test("what the index says is what the contracts answer, after random histories, a reorganisation and a restart", async () => {
    const done = new Set<FederatedCall["kind"]>();
    for (const [seed, seats] of [3, 0, 2].entries()) {
      const history = new History(chain, seats);
      const database = chain.database();
      const reader = chain.market(undefined, { database });
      await history.post();
      await history.begin();
      const picks = fc.sample(fc.nat(1_000_000), { seed: 60 + seed, numRuns: 44 });
      const half = picks.length / 2;
      for (const pick of picks.slice(0, half)) await history.step(pick);
      const middle = await compare(reader, history.id);
      const snapshot = await evm.snapshot();
      for (const pick of picks.slice(half)) await history.step(pick);
      await compare(reader, history.id);
      await history.end();
      const ended = await compare(reader, history.id);
      for (const { account, seat } of ended.members) if (!seat) await comparePast(reader, ended, account);
      await history.stop();
      for (const kind of history.done) done.add(kind);

      const undone = await evm.height();
      await evm.revert(snapshot);
      // A chain that replaces another is longer.
      await evm.mine(undone + 1 - (await evm.height()));
      assert.deepEqual(await compare(reader, history.id), middle);
      await reader.stop();
      const restarted = chain.market(undefined, { database });
      assert.deepEqual(await compare(restarted, history.id), middle);
      const fresh = chain.market(undefined);
      assert.deepEqual(await compare(fresh, history.id), middle);
      await Promise.all([restarted.stop(), fresh.stop()]);
    }
    assert.ok(done.size >= 15, [...done].toSorted().join());
    assert.deepEqual([...counted].toSorted(), ["fault", "settled"]);
  });

  test("each party finds its jobs, is told of changes, and of nothing that is no federated job", async () => {
    const history = new History(chain, 0);
    await history.post();
    const invited = chain.node.accounts[PROVIDERS[0]!]!.address;
    const reader = chain.market(undefined);
    const watched = reader.watchFederated({ invited })[Symbol.asyncIterator]();
    const next = async (): Promise<FederatedJob> => {
      for (;;) {
        const { value } = await watched.next();
        if (value.id === history.id) return value;
      }
    };
    const [invitation] = (await next()).invitations;
    assert.deepEqual(invitation?.providers, [invited]);
    await history.make(PROVIDERS[0]!, await history.enlisting(PROVIDERS[0]!));
    assert.deepEqual(
      (await next()).members.map(({ account }) => account),
      [invited],
    );
    await watched.return?.();
    const stranger = chain.node.accounts[STRANGER]!.address;
    assert.deepEqual(await reader.federatedJobs({ invited: stranger }), []);
    await assert.rejects(reader.job(history.id), hasCode("JOB_UNKNOWN"));
    await assert.rejects(reader.resolveJob(history.id), hasCode("JOB_UNKNOWN"));
    assert.ok(!(await reader.jobs({})).some(({ id }) => id === history.id));
    await history.stop();
  });

  test("a refusal says what was wrong, and what was prepared before a kill is sent once", async () => {
    const history = new History(chain, 0);
    await history.post();
    const [first, second] = PROVIDERS as [number, number];
    const job = await history.job();
    const { admission } = await history.enlisting(second);
    await assert.rejects(
      history.make(first, { kind: "enlist", federated: job, admission }),
      hasCode("ESCROW_NOT_ADMITTED"),
    );
    await assert.rejects(history.make(first, { kind: "begin", federated: job }), hasCode("ESCROW_NOT_PARTY"));
    await assert.rejects(
      history.make(REQUESTER, { kind: "begin", federated: job }),
      hasCode("ESCROW_WRONG_COUNT"),
    );
    await assert.rejects(
      history.make(REQUESTER, { kind: "releaseStakes", federated: job }),
      /^IchainError: The contract refused to release stakes: invalid status \(jobId 0x[0-9a-f]{64}, state 1\)\.$/,
    );
    const database = chain.database();
    const before = chain.market(first, { database });
    const tx = await before.prepare(await history.enlisting(first));
    assert.equal(tx.jobId, history.id);
    await before.stop();
    const again = chain.market(first, { database });
    const receipts = await Promise.all([again.broadcast(tx), again.broadcast(tx)]);
    assert.equal(receipts[0]?.hash, receipts[1]?.hash);
    assert.equal((await history.job()).members.length, 1);
    await history.stop();
  });

  test("a job is paid in a token, and what it does not spend is withdrawn", async () => {
    const market = chain.market(REQUESTER);
    const wallet = new Wallet(chain.node.accounts[0]!.privateKey);
    const token = await deployTestToken({ rpcUrl: chain.node.rpcUrl, wallet }, [market.account], 10_000n);
    const history = new History(chain, 0);
    await assert.rejects(history.post({ token }), hasCode("ERC20_INSUFFICIENT_ALLOWANCE"));
    await send(market, { kind: "approve", token, amount: 9000n, spender: "federated" });
    await history.post({ token });
    assert.equal((await market.tokenFunds(market.account, token)).balance, 1000n);
    await history.make(REQUESTER, { kind: "stopFederated", federated: await history.job() });
    assert.equal(await market.owedFederated(market.account, token), 9000n);
    await send(market, { kind: "withdrawFederated", token });
    assert.equal((await market.tokenFunds(market.account, token)).balance, 10_000n);
    await history.stop();
  });

  test("what no one claims within half a year goes back to the requester", async () => {
    const history = new History(chain, 0);
    await history.post({ rounds: 1 });
    await history.begin();
    await history.close();
    const market = chain.market(REQUESTER);
    const role = { market, account: market.account, journal: openJournal(":memory:") };
    assert.equal(await sweepUnclaimed(role, { signal: AbortSignal.timeout(60_000) }), 0, "too early");
    await chain.node.increaseTime(CLAIM_WINDOW + 2 * WINDOW);
    // Of the histories that were played before, some have left something too.
    const jobs = await market.federatedJobs({ requester: market.account });
    const now = await market.now();
    const unclaimed = jobs.filter((job) => canSweep(job, now)).map(unclaimedOf);
    assert.ok(unclaimed.includes(3000n), "this one's");
    const before = await market.owedFederated(market.account, ZERO_ADDRESS);
    assert.equal(await sweepUnclaimed(role, { signal: AbortSignal.timeout(60_000) }), unclaimed.length);
    const swept = (await market.owedFederated(market.account, ZERO_ADDRESS)) - before;
    assert.equal(
      swept,
      unclaimed.reduce((sum, amount) => sum + amount, 0n),
    );
    assert.equal(await sweepUnclaimed(role, { signal: AbortSignal.timeout(60_000) }), 0, "again");
    await history.stop();
  });

  test("a provider that a closing pays too little challenges it by itself", async (t) => {
    const history = new History(chain, 2);
    await history.post();
    await history.begin();
    const [, index, other] = PROVIDERS as [number, number, number];
    const { address: account, privateKey } = chain.node.accounts[index]!;
    const market = chain.market(index);
    const domain = market.ledgerDomainOf(history.id);
    const provider = account.toLowerCase() as Address;
    const hashes = { parent: random32(), data: random32(), update: random32(), location: random32() };
    const upload = { round: 1, provider, ...hashes, finishedAt: 1, seconds: 1 };
    await history.make(index, {
      ...{ kind: "assertUpload", federated: await history.job(), upload: upload.location },
    });
    const members = [account, chain.node.accounts[other]!.address];
    const job = await history.job();
    const seat = job.members.find((one) => one.seat)!.account.toLowerCase() as Address;
    // Its seats share half of what the round pays.
    const draft = {
      file: { federated: { share: "gated", strategy: "fedavg" } },
      terms: { ...job.terms, roundPrice: job.terms.roundPrice / 2n },
    } as RoundBasis;
    const signature = signRecord(new Wallet(privateKey).signingKey, recordHash(upload, domain));
    const { closing, lines } = closeBooks(domain, draft, {
      ...{ round: 1, lead: seat, sign: () => signature, uploads: [{ upload, signature }], bytes: new Map() },
      ...{ earned: [], previous: NOTHING, parent: upload.parent, model: random32() },
      members: members.map((one) => ({ account: one, rows: 10 })),
      aggregated: {
        ...{ digest: random32(), memory: {}, before: undefined },
        members: members.map((one) => ({ account: one, accuracy: 500_000, weight: 10, taken: true })),
      },
      times: { finishedAt: 1, seconds: 1 },
    });
    await history.closeAs(closing);
    const journal = openJournal(":memory:");
    t.after(() => journal.close());
    const record = journal.open("federated-provider", history.id);
    await record.step("update-1", { prepare: () => null, act: () => ({ message: { upload } }) });
    const reporter = { emit: () => undefined };
    const context = { market, account, reporter } as unknown as WorkerContext;
    const told = { job: await history.job(), round: 1, lines, policy: policySchema.parse({}) };
    await examineBooks(context, record, told, { signal: t.signal });
    const { state, disputes } = await history.job();
    assert.deepEqual([state, disputes[0]?.about, disputes[0]?.challenger], ["Disputed", undefined, account]);
    await market.stop();
    await history.stop();
  });

  test("a network without their escrow has no federated jobs, and refuses their calls", async () => {
    const { federated: _, ...addresses } = chain.addresses;
    const market = chain.market(REQUESTER, { addresses });
    const history = new History(chain, 0);
    await history.post();
    assert.deepEqual(await market.federatedJobs({}), []);
    await assert.rejects(market.federatedJob(history.id), hasCode("JOB_UNKNOWN"));
    const federated = await history.job();
    await assert.rejects(market.prepare({ kind: "begin", federated }), hasCode("CONTRACTS_MISSING"));
    const nowhere = chain.market(REQUESTER, {
      addresses: { ...addresses, federated: chain.node.accounts[STRANGER]!.address },
    });
    await assert.rejects(nowhere.now(), hasCode("CONTRACTS_MISSING"));
    await history.stop();
  });
});

/** A call, and the account that makes it. */
type Try = readonly [index: number, call: () => FederatedCall | Promise<FederatedCall>];

/** One job that its parties play through their markets. */
class History {
  readonly done = new Set<FederatedCall["kind"]>();
  id!: JobId;
  readonly #chain: TestChain;
  readonly #seats: number;
  readonly #markets = new Map<number, Market>();

  constructor(chain: TestChain, seats: number) {
    this.#chain = chain;
    this.#seats = seats;
  }

  async post(change: Partial<FederatedTerms> = {}): Promise<void> {
    const market = this.#market(REQUESTER);
    const terms: FederatedTerms = {
      ...{ requester: market.account, token: ZERO_ADDRESS, roundPrice: 3000n, seatFee: 100n },
      ...{ providerStake: ETHER / 100n, seatStake: ETHER / 100n, rounds: 3, least: 1, places: 3 },
      ...{ seats: this.#seats, enlistBy: (await market.now()) + WINDOW },
      ...{ roundWindow: WINDOW, disputeWindow: WINDOW },
      ...{ specHash: random32(), bundleRoot: random32(), seedHash: seedHash(SEED) },
      refunds: false,
      ...change,
    };
    this.id = market.federatedJobIdOf(terms);
    await this.make(REQUESTER, { kind: "postFederated", federated: { terms }, sealed: "0x" });
    const invitation = { providers: [this.#address(PROVIDERS[0]!)], sealed: "0xab" as Hex };
    await this.make(REQUESTER, { kind: "invite", federated: await this.job(), invitation });
  }

  /** Two enlist, and the seats are drawn. */
  async begin(): Promise<void> {
    for (const index of PROVIDERS.slice(1)) await this.make(index, await this.enlisting(index));
    await this.make(REQUESTER, { kind: "begin", federated: await this.job() });
    if (this.#seats === 0) return;
    await controls(this.#chain.node).mine(3);
    await this.make(REQUESTER, { kind: "seat", federated: await this.job(), seed: SEED });
  }

  /** The requester closes the open round. */
  async close(): Promise<void> {
    await this.make(REQUESTER, await this.#closing(await this.job()));
  }

  /** Seats close the open round so. */
  async closeAs(closing: Closing): Promise<void> {
    const federated = await this.job();
    const approvals = await this.#approve(federated, closingTypes, closing);
    await this.make(REQUESTER, { kind: "closeRound", federated, closing, approvals });
  }

  async make(index: number, call: FederatedCall): Promise<void> {
    await send(this.#market(index), call);
    this.done.add(call.kind);
  }

  job(): Promise<FederatedJob> {
    return this.#market(REQUESTER).federatedJob(this.id);
  }

  async enlisting(index: number): Promise<FederatedCall & { kind: "enlist" }> {
    const admission = await this.#sign(REQUESTER, admissionTypes, { provider: this.#address(index) });
    return { kind: "enlist", federated: await this.job(), admission };
  }

  /** Somebody tries something; the contracts refuse it with a sentence, or it is done. */
  async step(pick: number): Promise<void> {
    const job = await this.job();
    // Deadlines seldom pass while a round is open: that would be the end.
    const waits = job.state === "Disputed" || job.state === "Ended";
    if (pick % (waits ? 8 : 64) === 0) await this.#chain.node.increaseTime(WINDOW + 1);
    if (job.state === "Drawing" || job.disputes.some(({ drawBlock }) => drawBlock !== undefined))
      await controls(this.#chain.node).mine(3);
    const tries = this.#tries(job);
    const [index, wanted] = tries[Math.floor(pick / 16) % tries.length]!;
    const call = await wanted();
    try {
      await this.make(index, call);
    } catch (error) {
      assert.ok(isIchainError(error) && /^(ESCROW|REGISTRY)_/.test(error.code), `${call.kind}: ${error}`);
    }
  }

  /** Lets all deadlines pass, ends the job, and frees or slashes what stakes it holds. */
  async end(): Promise<void> {
    const calls = ["empanel", "concludeDispute", "strike", "expireFederated", "releaseStakes"] as const;
    for (const kind of calls) {
      await controls(this.#chain.node).mine(3);
      const job = await this.job();
      const wanted = this.#tries(job).map(([index, call]) => ({ index, call }));
      for (const { index, call } of wanted) {
        const made = await call();
        if (made.kind === kind) await this.make(index, made).catch(() => undefined);
      }
      await this.#chain.node.increaseTime(4 * WINDOW);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#markets.values()].map((market) => market.stop()));
  }

  /** What somebody could want in the job's state, and sometimes what the contracts refuse. */
  #tries(federated: FederatedJob): readonly Try[] {
    const { state, closings, disputes, members } = federated;
    const [, second, third] = PROVIDERS as [number, number, number];
    if (state === "Enlisting") {
      return [
        ...PROVIDERS.map((index): Try => [index, () => this.enlisting(index)]),
        [REQUESTER, () => ({ kind: "begin", federated })],
      ];
    }
    if (state === "Drawing") return [[REQUESTER, () => ({ kind: "seat", federated, seed: SEED })]];
    const about = this.#address(second);
    const round = closings.length;
    const disputing = disputes.flatMap((dispute) => this.#disputing(federated, dispute));
    const tries: readonly (Try | false)[] = [
      ...PROVIDERS.map(
        (index): Try => [index, () => ({ kind: "assertUpload", federated, upload: random32() })],
      ),
      [REQUESTER, () => this.#closing(federated)],
      [second, () => this.#strike(federated, about)],
      memberOf(federated, about)?.strike !== undefined && [
        second,
        () => ({ kind: "appealStrike", federated, about }),
      ],
      [third, () => ({ kind: "expireFederated", federated })],
      round > 0 && [third, () => ({ kind: "challengeRound", federated, round })],
      round > 0 && [STRANGER, () => this.#claiming(federated, round)],
      round === 2 && [REQUESTER, () => ({ kind: "stopFederated", federated })],
      members.length > 0 && state === "Ended" && [STRANGER, () => ({ kind: "releaseStakes", federated })],
      state === "Ended" && [
        REQUESTER,
        () => ({ kind: "rateFederated", federated, subject: about, score: 4 }),
      ],
      // Where there is a dispute, most is about it.
      ...[disputing, disputing, disputing].flat(),
    ];
    return tries.filter((each) => each !== false);
  }

  #disputing(federated: FederatedJob, { about, round, panel, committed }: Dispute): Try[] {
    if (panel.length === 0) return [[STRANGER, () => ({ kind: "empanel", federated, about })]];
    const closing = federated.closings[round - 1]?.closing;
    const found = about === undefined && closing !== undefined ? findingOf(closing) : word("guilty");
    // What is disputed is right where the panel's first validator has an even address.
    const finding = BigInt(panel[0]!) % 2n === 0n ? found : word("clear");
    return [
      ...panel.map((validator): Try => {
        const party = about ?? ZERO_ADDRESS;
        const commitment = findingCommitment(this.id, party, validator, finding, SALT);
        return [
          this.#index(validator),
          () =>
            committed.includes(validator)
              ? { kind: "revealFinding", federated, about, finding, salt: SALT }
              : { kind: "commitFinding", federated, about, commitment },
        ];
      }),
      [STRANGER, () => ({ kind: "concludeDispute", federated, about })],
    ];
  }

  async #strike(federated: FederatedJob, provider: Address): Promise<FederatedCall> {
    const strike = { provider, round: 1, upload: word("upload") };
    return {
      ...{ kind: "strike", federated, strike },
      approvals: await this.#approve(federated, strikeTypes, strike),
    };
  }

  async #closing(federated: FederatedJob): Promise<FederatedCall> {
    const round = federated.closings.length + 1;
    const leaves = this.#earned(federated, round).map(({ account, earned }) => payLeaf(account, earned));
    const closing: Closing = {
      ...{ round, updatesRoot: random32(), modelDigest: random32(), modelRoot: random32() },
      ...{ payRoot: treeRoot(leaves), blindedKey: random32(), ledgerTip: random32() },
    };
    return {
      ...{ kind: "closeRound", federated, closing },
      approvals: await this.#approve(federated, closingTypes, closing),
    };
  }

  /** Every provider earns a third of each round's price. */
  #earned({ terms, members }: FederatedJob, round: number): { account: Address; earned: bigint }[] {
    const earned = BigInt(round) * (terms.roundPrice / 3n);
    return members.filter(({ seat }) => !seat).map(({ account }) => ({ account, earned }));
  }

  #claiming(federated: FederatedJob, round: number): FederatedCall {
    const earned = this.#earned(federated, round);
    const leaves = earned.map((each) => payLeaf(each.account, each.earned));
    const payouts = earned.map((each, i) => ({ ...each, proof: proofOf(leaves, i) }));
    return { kind: "claimPay", federated, round, payouts };
  }

  #approve({ members }: FederatedJob, types: Record<string, TypedDataField[]>, value: object) {
    return Promise.all(
      members
        .filter(({ standing }) => standing === "seated")
        .map(async ({ account }) => ({
          seat: account,
          signature: await this.#sign(this.#index(account), types, value),
        })),
    );
  }

  async #sign(index: number, types: Record<string, TypedDataField[]>, value: object): Promise<Hex> {
    const domain = federatedDomain(BigInt(this.#chain.node.chainId), this.#chain.addresses.federated!);
    const wallet = new Wallet(this.#chain.node.accounts[index]!.privateKey);
    return (await wallet.signTypedData(domain, types, { job: this.id, ...value })) as Hex;
  }

  #market(index: number): Market {
    const known = this.#markets.get(index) ?? this.#chain.market(index);
    this.#markets.set(index, known);
    return known;
  }

  #address(index: number): Address {
    return this.#chain.node.accounts[index]!.address;
  }

  #index(account: Address): number {
    return this.#chain.node.accounts.findIndex(({ address }) => sameAddress(address, account));
  }
}
