import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { isFinal, type JobState, jobStates } from "../../src/protocol/job/state.ts";
import {
  type Actor,
  COIN,
  commitmentOf,
  type Deal,
  deployMarket,
  ETHER,
  join,
  type Market,
  packed,
  random32,
  recordOf,
  strike,
} from "../support/chain/escrow.ts";
import {
  type Action,
  EFFORT,
  EscrowModel,
  FEE,
  type Person,
  PRICE,
  PROVIDER_STAKE,
  STOP,
  VALIDATOR_STAKE,
  type Vote,
  WINDOW,
} from "../support/chain/escrow-model.ts";
import { opening, providerSeed, providerTip, requesterTip } from "../support/chain/secrets.ts";

const RUNS = Number(process.env.MODEL_RUNS ?? 500);
const VALIDATORS = 9;
const SALT = random32();
const OUTPUTS = random32();
const OTHER = random32();
const GOOD = 900n;
const PEOPLE: readonly Person[] = ["requester", "provider", "stranger"].concat(
  Array.from({ length: VALIDATORS }, (_, i) => `validator${i}`),
);

describe("the escrow against a model of its table", () => {
  let market: Market;
  let people: Map<Person, Actor>;

  before(async () => {
    market = await deployMarket(PEOPLE.length);
    people = new Map(PEOPLE.map((name, i) => [name, market.actors[i]!]));
    for (const name of PEOPLE.slice(3)) await join(market, people.get(name)!, 1000n * ETHER, 32);
    await join(market, people.get("provider")!, 1000n * ETHER, 32);
  });
  after(() => market.close());

  it(`agrees on state and on every balance to the wei over ${RUNS} histories`, async () => {
    const reached = new Set<JobState>();
    const choices = fc.array(fc.nat(1_000_000), { minLength: 10, maxLength: 30, size: "max" });
    await fc.assert(
      fc.asyncProperty(fc.nat(3), choices, async (asked, picks) => {
        const snapshot = await market.rpc("evm_snapshot");
        const history = new History(market, people, asked);
        await history.post();
        for (const pick of picks) {
          await history.step(pick);
          reached.add(history.model.state);
        }
        await history.compareMoney();
        await market.rpc("evm_revert", snapshot);
      }),
      { numRuns: RUNS, seed: 20_260, endOnFailure: true },
    );
    assert.deepEqual(
      jobStates.filter((state) => state !== "None" && !reached.has(state)),
      [],
    );
  });
});

/** One job on the chain and in the model, side by side. */
class History {
  model!: EscrowModel;
  readonly #market: Market;
  readonly #people: Map<Person, Actor>;
  readonly #asked: number;
  #deal!: Deal;
  #now = 0;

  constructor(market: Market, people: Map<Person, Actor>, asked: number) {
    this.#market = market;
    this.#people = people;
    this.#asked = asked;
  }

  async post(): Promise<void> {
    const windows = { run: WINDOW, appoint: WINDOW, commit: WINDOW, reveal: WINDOW, claim: WINDOW };
    this.#now = await this.#market.now();
    this.#deal = await strike(this.#market, this.#actor("requester"), this.#actor("provider"), {
      ...{ price: PRICE, validatorFee: FEE, providerStake: PROVIDER_STAKE, validatorStake: VALIDATOR_STAKE },
      // Outputs decide between pass and fail, the score alone between pass and unmet.
      ...{ validators: this.#asked, mode: "evaluate", tolerance: 2n ** 63n, threshold: GOOD },
      ...{ effort: EFFORT, stop: STOP, acceptBy: this.#now + WINDOW },
      windows: { ...windows, challenge: WINDOW, appeal: WINDOW },
    });
    await this.#send("requester", "post", [requesterTip, "0x"], PRICE + BigInt(this.#asked) * FEE);
    this.model = new EscrowModel(this.#asked, PEOPLE.slice(3), this.#now + WINDOW - 1);
    this.model.deadline = this.#deal.terms.acceptBy;
    await this.#compare("post");
  }

  /** Time passes, or somebody does something that the model allows, or (one in four) anything at all. */
  async step(pick: number): Promise<void> {
    const [what, which] = [pick % 16, Math.floor(pick / 16)];
    if (what === 0) this.#now += WINDOW / 2;
    if (what === 1 || what === 2) this.#now = Math.max(this.#now, this.model.deadline) + 1;
    if (what === 2) this.#now += WINDOW;
    const all = actions(this.model);
    const allowed = all.filter((action) => this.model.allows(action, this.#now + 1));
    const from = what < 12 && allowed.length > 0 ? allowed : all;
    await this.#do(from[which % from.length]!);
  }

  async #do(action: Action): Promise<void> {
    const wanted = this.model.allows(action, this.#now + 1);
    const [name, args, value] = this.#call(action);
    const done = await this.#send(action.by, name, args, value);
    assert.equal(done, wanted, `${action.by} ${name} in ${this.model.state}`);
    if (done) this.model.apply(action, this.#now, await this.#drawn(action));
    await this.#compare(`${action.by} ${name}`);
  }

  #call(action: Action): [string, unknown[], bigint] {
    const { keyCommitment, secretsCommitment, blindedKey, resultRoot } = this.#deal;
    const theirs = findingOf("pass");
    const own = findingOf(this.#voteOf(action.by) ?? "fail");
    const theirCommitment = commitmentOf(this.#deal, this.#actor("provider"), theirs);
    const theirSeed = opening(this.model.draws + (action.kind === "challenge" ? 1 : 0));
    switch (action.kind) {
      case "submit":
        return ["submit", [resultRoot, theirCommitment, keyCommitment, providerTip, "0x"], 0n];
      case "release":
        return ["release", ["0x", "0x"], 0n];
      case "abstain":
        return ["abstain", ["0x"], 0n];
      case "appoint":
        return [
          "appoint",
          [this.model.named.map((name) => ({ validator: this.#actor(name).address, sealedLocator: "0x" }))],
          0n,
        ];
      case "dismiss":
        return ["dismiss", [this.model.pending().map((name) => this.#actor(name).address)], 0n];
      case "commit":
        return ["commit", [commitmentOf(this.#deal, this.#actor(action.by), findingOf(action.vote))], 0n];
      case "reveal":
        return ["reveal", [own, theirs, secretsCommitment], 0n];
      case "revealAlone":
        return ["revealAlone", [own], 0n];
      case "disclose":
        return ["disclose", [theirs, secretsCommitment], 0n];
      case "claim":
        return ["claim", [blindedKey, theirCommitment, providerTip, this.#panel()], 0n];
      case "revealSeed":
        return ["revealSeed", [theirSeed.maskHash, theirSeed.seed], 0n];
      case "draw": {
        const number = this.model.state === "Submitted" ? 1 : this.model.draws;
        return ["draw", [theirCommitment, keyCommitment, providerSeed(number)], 0n];
      }
      case "challenge":
        return ["challenge", [theirSeed.maskHash, theirSeed.seed], 3n * FEE + PRICE / 2n];
      case "appeal":
        return ["appeal", [], 3n * FEE];
      case "settle":
      case "expire":
        return [action.kind, [this.#panel()], 0n];
      case "rate":
        return ["rate", [this.#actor(action.subject).address, 3], 0n];
      default:
        return [action.kind, [], 0n];
    }
  }

  /** One second later than the last; whether it went through. */
  async #send(by: Person, name: string, args: unknown[], value = 0n): Promise<boolean> {
    this.#now += 1;
    await this.#market.rpc("evm_setNextBlockTimestamp", this.#now);
    const { escrow } = this.#market;
    const data = escrow.interface.encodeFunctionData(name, [packed(this.#deal), ...args]);
    const from = this.#actor(by).address;
    const tx = { from, to: escrow.target, data, gas: "0x4c4b40", value: `0x${value.toString(16)}` };
    return this.#market.rpc("eth_sendTransaction", tx).then(
      () => true,
      (error: unknown) => {
        this.#checkRevert(by, error);
        return false;
      },
    );
  }

  /** Reverts are errors of the contracts, and what they say of job, caller, state and deadline is true. */
  #checkRevert(by: Person, error: unknown): void {
    const { escrow, registry } = this.#market;
    const data = String((error as { data?: unknown }).data);
    const reason = escrow.interface.parseError(data) ?? registry.interface.parseError(data);
    assert.ok(reason, `no error of the contracts: ${error}`);
    const { jobId, caller, state, deadline } = reason.args.toObject();
    if (jobId !== undefined) assert.equal(jobId, this.#deal.id, reason.name);
    if (caller !== undefined) assert.equal(caller, this.#actor(by).address, reason.name);
    if (state !== undefined) assert.equal(jobStates[Number(state)], this.model.state, reason.name);
    if (reason.name === "JobEscrow_TooLate") assert.ok(deadline < this.#now, reason.name);
    if (reason.name === "JobEscrow_TooEarly") assert.ok(deadline >= this.#now, reason.name);
  }

  async #compare(after: string): Promise<void> {
    const { state, toDraw, deadline } = this.model;
    assert.deepEqual(await recordOf(this.#market, this.#deal), { state, deadline, toDraw }, after);
  }

  /** Balances move at a job's end, so that a look then, and at the end of the history, sees every coin. */
  async compareMoney(): Promise<void> {
    const { escrow, registry } = this.#market;
    const lost = [...this.model.slashed.values()].reduce((sum, each) => sum + each, 0n);
    assert.equal(await registry.getFunction("burnt")(), lost - this.model.compensation, "burnt");
    const check = async (name: Person) => {
      const { address } = this.#actor(name);
      assert.equal(await escrow.getFunction("owed")(address, COIN), this.model.owed.get(name) ?? 0n, name);
      if (name === "requester" || name === "stranger") return;
      const { stake, lockedStake } = await registry.getFunction("offerOf")(address);
      assert.equal(1000n * ETHER - stake, this.model.slashed.get(name) ?? 0n, `stake of ${name}`);
      if (isFinal(this.model.state)) assert.equal(lockedStake, 0n, `locked stake of ${name}`);
    };
    await Promise.all(PEOPLE.map(check));
  }

  /** Whom the chain drew: seats that the model does not know. */
  async #drawn(action: Action): Promise<Person[]> {
    if (action.kind !== "draw") return [];
    const wanted = this.model.state === "Submitted" ? this.#asked : this.model.toDraw;
    const drawn: Person[] = [];
    for (const name of PEOPLE.slice(3)) {
      if (this.model.seats.has(name)) continue;
      const status = await this.#market.escrow.getFunction("seatOf")(
        this.#deal.id,
        this.#actor(name).address,
      );
      if (status !== 0n) drawn.push(name);
    }
    const free = VALIDATORS - this.model.seats.size;
    assert.equal(drawn.length, Math.min(wanted, free), "a draw fills the seats while the pool lasts");
    return drawn;
  }

  #panel(): string[] {
    const seated = [...this.model.seats.keys()].map((name) => this.#actor(name).address);
    return seated.sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  }

  #voteOf(name: Person): Vote | undefined {
    return this.model.seats.get(name)?.vote;
  }

  #actor(name: Person): Actor {
    return this.#people.get(name)!;
  }
}

/** What a validator measures that votes so; the provider's own measurement is that of a `pass`. */
function findingOf(vote: Vote) {
  return {
    digest: vote === "fail" ? OTHER : OUTPUTS,
    score: vote === "unmet" ? GOOD - 1n : GOOD,
    salt: SALT,
  };
}

/** Everything that somebody could try now. */
function actions(model: EscrowModel): Action[] {
  const two: Person[] = ["requester", "provider"];
  const simple = [
    "accept",
    "submit",
    "cancel",
    "release",
    "stop",
    "expire",
    "appoint",
    "revealSeed",
    "draw",
    "dismiss",
    "disclose",
  ] as const;
  const more = ["conclude", "claim", "challenge", "appeal", "settle"] as const;
  const seated = [...model.seats.keys()];
  return [
    ...[...simple, ...more].flatMap((kind) => [...two, "stranger"].map((by): Action => ({ kind, by }))),
    ...[...seated, "validator8"].flatMap((by): Action[] => [
      { kind: "commit", by, vote: "pass" },
      { kind: "commit", by, vote: "fail" },
      { kind: "commit", by, vote: "unmet" },
      ...(["abstain", "reveal", "revealAlone"] as const).map((kind): Action => ({ kind, by })),
    ]),
    ...two.flatMap((by) => [...two, ...seated].map((subject): Action => ({ kind: "rate", by, subject }))),
  ];
}
