import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TypedDataField } from "ethers";
import fc from "fast-check";
import { decodeFederatedEvent } from "../../../src/chain/abi/decode-federated.ts";
import { payLeaf, proofOf, treeRoot } from "../../../src/protocol/federated/ledger/tree.ts";
import {
  type Closed,
  type Closing,
  closedHash,
  findingCommitment,
  findingOf,
} from "../../../src/protocol/federated/market/closing.ts";
import {
  type FederatedState,
  federatedStates,
  type Invitation,
} from "../../../src/protocol/federated/market/events.ts";
import { canSweep, federatedExitsOf } from "../../../src/protocol/federated/market/exits.ts";
import { foldFederated } from "../../../src/protocol/federated/market/fold.ts";
import { assertedIn, type FederatedJob } from "../../../src/protocol/federated/market/job.ts";
import {
  admissionTypes,
  closingTypes,
  federatedDomain,
  strikeTypes,
} from "../../../src/protocol/federated/market/signatures.ts";
import {
  type FederatedTerms,
  federatedJobIdOf,
  federatedPriceOf,
  seedHash,
} from "../../../src/protocol/federated/market/terms.ts";
import type { Address, Hex, JobId } from "../../../src/protocol/ids.ts";
import {
  type Actor,
  COIN,
  deployMarket,
  ETHER,
  join,
  type Market,
  random32,
} from "../../support/chain/escrow.ts";
import {
  type Action,
  BOND,
  DISPUTE_WINDOW,
  FEE,
  FederationModel,
  LEAST,
  type Person,
  PLACES,
  PRICE,
  PROVIDER_STAKE,
  ROUND_WINDOW,
  ROUNDS,
  SEAT_STAKE,
} from "../../support/chain/federation-model.ts";

const RUNS = Number(process.env.MODEL_RUNS ?? 500);
const VALIDATORS = 8;
/** Kinds of actions. */
const KINDS = 17;
const NOTHING = `0x${"0".repeat(64)}` as Hex;
/** Of the contract, in its order, after `None`. */
const STANDINGS = [
  ...(["enlisted", "seated", "struck", "appealing", "condemned", "slashed", "released"] as const),
];
const SALT = random32();
const SEED = random32();
const OTHER = random32();
const PROVIDERS: readonly Person[] = ["provider0", "provider1", "provider2", "provider3"];
const POOL: readonly Person[] = Array.from({ length: VALIDATORS }, (_, i) => `validator${i}`);
const PEOPLE: readonly Person[] = ["requester", ...PROVIDERS, ...POOL];
/** Words of the contract's panel, as bytes32 text. */
const word = (text: string) => `0x${Buffer.from(text).toString("hex").padEnd(64, "0")}` as Hex;

describe("the escrow of federated jobs against a model of its interfaces", () => {
  let market: Market;
  let people: Map<Person, Actor>;

  before(async () => {
    market = await deployMarket(PEOPLE.length + 1);
    people = new Map(PEOPLE.map((name, i) => [name, market.actors[i + 1]!]));
    for (const name of PROVIDERS) await join(market, people.get(name)!, ETHER, 32, false);
    for (const name of POOL) await join(market, people.get(name)!, ETHER, 32);
  });
  after(() => market.close());

  it(`agrees on state and on every balance to the wei over ${RUNS} histories`, async () => {
    const reached = new Set<FederatedState>();
    const done = new Set<Action["kind"]>();
    const choices = fc.array(fc.nat(1_000_000), { minLength: 20, maxLength: 40, size: "max" });
    await fc.assert(
      fc.asyncProperty(fc.nat(3), fc.boolean(), choices, async (seats, refunds, picks) => {
        const snapshot = await market.rpc("evm_snapshot");
        const history = new History(market, people, { seats, refunds: refunds && seats > 1 });
        await history.post();
        // Three of four histories begin with what most jobs begin with.
        if (picks[0]! % 4 !== 0) await history.begin();
        for (const pick of picks) {
          const kind = await history.step(pick);
          if (kind !== undefined) done.add(kind);
          reached.add(history.model.state);
        }
        await history.compareMoney();
        await history.compareFold();
        await market.rpc("evm_revert", snapshot);
      }),
      { numRuns: RUNS, seed: 20_261, endOnFailure: true },
    );
    assert.equal(done.size, KINDS, "every call went through in some history");
    assert.deepEqual([...reached].toSorted(), federatedStates.filter((state) => state !== "None").toSorted());
  });
});

/** One job on the chain and in the model, side by side. */
class History {
  model!: FederationModel;
  readonly #market: Market;
  readonly #people: Map<Person, Actor>;
  readonly #seats: number;
  readonly #refunds: boolean;
  readonly #invitation: Invitation;
  readonly #closings: Closed[] = [];
  readonly #strikeSigners = new Map<Person, Address[]>();
  #terms!: FederatedTerms;
  #escrow!: Address;
  #id!: JobId;
  #now = 0;

  constructor(
    market: Market,
    people: Map<Person, Actor>,
    { seats, refunds }: { readonly seats: number; readonly refunds: boolean },
  ) {
    this.#market = market;
    this.#people = people;
    this.#invitation = { providers: PROVIDERS.map((name) => this.#actor(name).address), sealed: "0xab" };
    this.#seats = seats;
    this.#refunds = refunds;
  }

  async post(): Promise<void> {
    this.#now = await this.#market.now();
    this.#escrow = (await this.#market.federated.getAddress()) as Address;
    const enlistBy = this.#now + ROUND_WINDOW;
    this.#terms = {
      ...{ requester: this.#actor("requester").address, token: COIN, roundPrice: PRICE, seatFee: FEE },
      ...{
        providerStake: PROVIDER_STAKE,
        seatStake: SEAT_STAKE,
        rounds: ROUNDS,
        least: LEAST,
        places: PLACES,
      },
      ...{ seats: this.#seats, enlistBy, roundWindow: ROUND_WINDOW, disputeWindow: DISPUTE_WINDOW },
      ...{ specHash: random32(), bundleRoot: random32(), seedHash: seedHash(SEED) },
      refunds: this.#refunds,
    };
    this.#id = federatedJobIdOf(this.#market.chainId, this.#escrow, this.#terms);
    assert.ok(await this.#send("requester", "post", ["0x"], federatedPriceOf(this.#terms)));
    const invited = [this.#invitation.providers, this.#invitation.sealed];
    assert.ok(!(await this.#send("provider0", "invite", invited)), "only the requester invites");
    assert.ok(await this.#send("requester", "invite", invited));
    this.model = new FederationModel({ seats: this.#seats, refunds: this.#refunds, enlistBy });
    await this.#compare("post");
  }

  async begin(): Promise<void> {
    for (const by of PROVIDERS.slice(0, PLACES)) await this.#do({ kind: "enlist", by });
    await this.#do({ kind: "begin", by: "requester" });
    await this.#do({ kind: "seat", by: "requester" });
  }

  /** Time passes, or somebody does something that the model allows, or (one in four) anything at all. */
  async step(pick: number): Promise<Action["kind"] | undefined> {
    const [what, which] = [pick % 16, Math.floor(pick / 16)];
    const { deadline } = this.model;
    if (what === 0) this.#now += DISPUTE_WINDOW / 2;
    if (what === 1) this.#now = Math.max(this.#now, deadline) + 1;
    if (what === 2 && which % 4 === 0) this.#now = Math.max(this.#now, deadline) + 181 * 86_400;
    const all = actions(this.model);
    // A stop ends most of what could happen, so it is seldom.
    const stops = what === 3 && which % 4 === 0;
    const allowed = all.filter(
      (action) => (action.kind !== "stop" || stops) && this.model.allows(action, this.#now + 1),
    );
    const from = what < 12 && allowed.length > 0 ? allowed : all;
    return this.#do(from[which % from.length]!);
  }

  /** The action's kind where it went through. */
  async #do(action: Action): Promise<Action["kind"] | undefined> {
    // The hash of the block that draws must be known.
    if (action.kind === "seat" || action.kind === "empanel") await this.#mine();
    const wanted = this.model.allows(action, this.#now + 1);
    const signers = this.#signers();
    const [name, args, value] = await this.#call(action, signers);
    const done = await this.#send(action.by, name, args, value);
    assert.equal(done, wanted, `${action.by} ${name} in ${this.model.state}`);
    if (done) {
      if (action.kind === "close") this.#keep(args[0] as Closing, signers);
      if (action.kind === "strike") {
        this.#strikeSigners.set(
          action.provider,
          signers.map((each) => this.#actor(each).address),
        );
        this.model.strikers.set(action.provider, signers);
      }
      this.model.apply(action, this.#now, await this.#drawn(action));
      this.#closings.length = this.model.closed;
    }
    await this.#compare(`${action.by} ${name}`);
    return done ? action.kind : undefined;
  }

  async #call(action: Action, signers: readonly Person[]): Promise<[string, unknown[], bigint]> {
    switch (action.kind) {
      case "enlist": {
        const provider = this.#actor(action.by).address;
        return ["enlist", [await this.#sign("requester", admissionTypes, { provider })], 0n];
      }
      case "seat":
        return ["seat", [SEED], 0n];
      case "assertUpload":
        return ["assertUpload", [random32()], 0n];
      case "close": {
        const closing = this.#closing();
        return ["close", [closing, await this.#approve(signers, closingTypes, closing)], 0n];
      }
      case "claim": {
        const earned = this.model.earned(action.round);
        const leaves = earned.map(([name, sum]) => payLeaf(this.#actor(name).address, sum));
        const payouts = earned.map(([name, sum], i) => ({
          ...{ account: this.#actor(name).address, earned: sum, proof: proofOf(leaves, i) },
        }));
        return ["claim", [payouts, this.#closings.slice(action.round - 1)], 0n];
      }
      case "release":
        return ["release", [[...this.model.members.keys()].map((name) => this.#actor(name).address)], 0n];
      case "challenge":
        return ["challenge", [this.#closings.slice(action.round - 1)], BOND];
      case "strike": {
        const found = this.#strike(action.provider);
        return ["strike", [found, await this.#approve(signers, strikeTypes, found)], 0n];
      }
      case "appeal":
        return [
          "appeal",
          [this.#strike(action.provider), this.#strikeSigners.get(action.provider) ?? []],
          3n * FEE,
        ];
      case "empanel":
        return ["empanel", [this.#about(action.about)], 0n];
      case "commit": {
        const [about, by] = [this.#about(action.about), this.#actor(action.by).address];
        const finding = this.#finding(action.about, action.finding);
        return ["commitFinding", [about, findingCommitment(this.#id, about, by, finding, SALT)], 0n];
      }
      case "reveal": {
        const committed = this.model.disputes.get(action.about)?.committed.get(action.by) ?? "right";
        return [
          "revealFinding",
          [this.#about(action.about), this.#finding(action.about, committed), SALT],
          0n,
        ];
      }
      case "conclude": {
        if (action.about === undefined) {
          const round = this.model.disputes.get(undefined)?.round ?? 1;
          return ["concludeChallenge", [this.#closings.slice(round - 1)], 0n];
        }
        const signed = this.#strikeSigners.get(action.about) ?? [];
        return ["concludeAppeal", [this.#strike(action.about), signed], 0n];
      }
      default:
        return [action.kind, [], 0n];
    }
  }

  /** One second later than the last; whether it went through. */
  async #send(by: Person, name: string, args: unknown[], value = 0n): Promise<boolean> {
    this.#now += 1;
    await this.#market.rpc("evm_setNextBlockTimestamp", this.#now);
    const { federated, registry } = this.#market;
    const data = federated.interface.encodeFunctionData(name, [this.#terms, ...args]);
    const from = this.#actor(by).address;
    const tx = { from, to: this.#escrow, data, gas: "0x4c4b40", value: `0x${value.toString(16)}` };
    return this.#market.rpc("eth_sendTransaction", tx).then(
      () => true,
      (error: unknown) => {
        const revert = String((error as { data?: unknown }).data);
        const reason = federated.interface.parseError(revert) ?? registry.interface.parseError(revert);
        assert.ok(reason, `${name}: no error of the contracts: ${error}`);
        return false;
      },
    );
  }

  async #mine(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      this.#now += 1;
      await this.#market.rpc("evm_setNextBlockTimestamp", this.#now);
      await this.#market.rpc("evm_mine");
    }
  }

  async #compare(what: string): Promise<void> {
    const job = await this.#market.federated.getFunction("jobOf")(this.#id);
    const { state, deadline, closed, seated, asserted, sharing } = job.toObject();
    assert.deepEqual(
      {
        ...{ state: federatedStates[Number(state)], deadline: Number(deadline), closed: Number(closed) },
        ...{ seated: Number(seated), asserted: Number(asserted), sharing: Number(sharing) },
      },
      {
        ...{ state: this.model.state, deadline: this.model.deadline, closed: this.model.closed },
        ...{ seated: this.model.seated, asserted: this.model.asserted, sharing: this.model.sharing },
      },
      what,
    );
  }

  async compareMoney(): Promise<void> {
    const { federated, registry } = this.#market;
    assert.equal(await registry.getFunction("burnt")(), this.model.burnt, "burnt");
    assert.equal(
      await federated.getFunction("owed")(COIN, COIN),
      this.model.owed.get("burnt") ?? 0n,
      "burnt money",
    );
    const check = async (name: Person) => {
      const { address } = this.#actor(name);
      assert.equal(await federated.getFunction("owed")(address, COIN), this.model.owed.get(name) ?? 0n, name);
      if (name === "requester") return;
      const { stake } = await registry.getFunction("offerOf")(address);
      assert.equal(ETHER - stake, this.model.lost.get(name) ?? 0n, `stake of ${name}`);
    };
    await Promise.all(PEOPLE.map(check));
  }

  /** What the client makes of the job's events is what the chain holds. */
  async compareFold(): Promise<void> {
    const { federated, chainId } = this.#market;
    const filter = { address: this.#escrow, fromBlock: "0x0", toBlock: "latest", topics: [null, this.#id] };
    const logs = (await this.#market.rpc("eth_getLogs", filter)) as { topics: Hex[]; data: Hex }[];
    const folded = logs
      .map((log) => decodeFederatedEvent({ block: 1, ...log }, chainId, this.#escrow))
      .reduce<FederatedJob | undefined>((job, event) => {
        assert.ok(event, "every event is known");
        return foldFederated(job, event);
      }, undefined);
    assert.ok(folded);
    assert.deepEqual(folded.terms, { ...this.#terms });
    assert.deepEqual(folded.invitations, [this.#invitation]);
    assert.deepEqual(folded.closings, this.#closings);
    const { state, deadline, stopping } = (await federated.getFunction("jobOf")(this.#id)).toObject();
    assert.deepEqual(
      { state: folded.state, deadline: folded.deadline, stopping: folded.stopping },
      { state: federatedStates[Number(state)], deadline: Number(deadline), stopping },
    );
    assert.equal(folded.members.length, this.model.members.size);
    for (const { account, seat, standing, asserted, claimed } of folded.members) {
      const stored = (await federated.getFunction("accountOf")(this.#id, account)).toObject();
      const wanted = { ...{ seat: stored.seat, standing: STANDINGS[Number(stored.standing) - 1] } };
      assert.deepEqual({ seat, standing }, wanted);
      assert.deepEqual([asserted, claimed], [Number(stored.asserted), stored.claimed]);
    }
    assert.deepEqual(
      folded.disputes.map(({ about, round }) => [about, round]).toSorted(),
      [...this.model.disputes].map(([about, { round }]) => [about && this.#about(about), round]).toSorted(),
    );
    const block = Number(await this.#market.rpc("eth_blockNumber"));
    const exits = federatedExitsOf(folded, { now: this.#now + 1, block: block + 3 });
    const wanted = [
      ...[...this.model.disputes.keys()].flatMap((about) =>
        (["empanel", "conclude"] as const).map((kind) => ({ kind, by: "requester", about })),
      ),
      ...(["expire", "release"] as const).map((kind) => ({ kind, by: "requester" })),
    ].filter((action) => this.model.allows(action, this.#now + 1));
    assert.deepEqual(exits.map(({ kind }) => kind).toSorted(), wanted.map(({ kind }) => kind).toSorted());
    if (!folded.swept) {
      assert.equal(folded.paid, await federated.getFunction("paidOf")(this.#id));
      const later = this.#now + 181 * 86_400;
      const swept = this.model.allows({ kind: "sweep", by: "requester" }, later);
      assert.equal(canSweep(folded, later), swept);
    }
    if (folded.cause === undefined) assert.equal(assertedIn(folded), this.model.asserted);
  }

  /** Whom the chain drew: seats and panels that the model does not know. */
  async #drawn(action: Action): Promise<Person[]> {
    const { federated } = this.#market;
    if (action.kind === "seat") {
      const accounts = await Promise.all(
        POOL.map((name) => federated.getFunction("accountOf")(this.#id, this.#actor(name).address)),
      );
      return POOL.filter((_, i) => accounts[i].seat);
    }
    if (action.kind !== "empanel") return [];
    const { panel } = await federated.getFunction("disputeOf")(this.#id, this.#about(action.about));
    const drawn = (panel as string[]).map(
      (address) => POOL.find((name) => this.#actor(name).address === address)!,
    );
    assert.equal(new Set(drawn).size, 3, "three, while the pool lasts");
    assert.ok(
      drawn.every((name) => !this.model.members.has(name)),
      "none that has a part in the job",
    );
    return drawn;
  }

  /** Seats that can sign, ascending. */
  #signers(): Person[] {
    return this.model
      .signers()
      .toSorted((a, b) => (BigInt(this.#actor(a).address) < BigInt(this.#actor(b).address) ? -1 : 1));
  }

  #closing(): Closing {
    const round = this.model.closed + 1;
    const leaves = this.model.earned(round).map(([name, sum]) => payLeaf(this.#actor(name).address, sum));
    return {
      ...{ round, updatesRoot: random32(), modelDigest: random32(), modelRoot: random32() },
      ...{ payRoot: treeRoot(leaves), blindedKey: random32(), ledgerTip: random32() },
    };
  }

  #keep(closing: Closing, signers: readonly Person[]): void {
    const previous = this.#closings.at(-1);
    this.#closings.push({
      ...{ closing, closedAt: this.#now, asserted: this.model.asserted },
      signers: signers.map((name) => this.#actor(name).address),
      previous: previous === undefined ? NOTHING : closedHash(previous),
    });
  }

  #strike(provider: Person) {
    return { provider: this.#actor(provider).address, round: 1, upload: word("upload") };
  }

  #finding(about: Person | undefined, found: "right" | "wrong"): Hex {
    if (about !== undefined) return word(found === "right" ? "guilty" : "clear");
    const round = this.model.disputes.get(undefined)?.round ?? 1;
    const closed = this.#closings[round - 1];
    return found === "right" && closed !== undefined ? findingOf(closed.closing) : OTHER;
  }

  #about(about: Person | undefined): Address {
    return about === undefined ? COIN : this.#actor(about).address;
  }

  async #sign(by: Person, types: Record<string, TypedDataField[]>, value: object): Promise<string> {
    const domain = federatedDomain(this.#market.chainId, this.#escrow);
    return this.#actor(by).wallet.signTypedData(domain, types, { job: this.#id, ...value });
  }

  #approve(signers: readonly Person[], types: Record<string, TypedDataField[]>, value: object) {
    return Promise.all(
      signers.map(async (name) => ({
        seat: this.#actor(name).address,
        signature: await this.#sign(name, types, value),
      })),
    );
  }

  #actor(name: Person): Actor {
    return this.#people.get(name)!;
  }
}

/** Everything that somebody could try now. */
function actions(model: FederationModel): Action[] {
  const some: readonly Person[] = ["requester", "provider0", "validator0"];
  const rounds = Array.from({ length: model.closed }, (_, i) => i + 1);
  const about = [undefined, ...model.disputes.keys(), "provider1"].filter(
    (each, i, all) => all.indexOf(each) === i,
  );
  return [
    ...PROVIDERS.flatMap((by): Action[] => [
      { kind: "enlist", by },
      { kind: "assertUpload", by },
      { kind: "strike", by: "requester", provider: by },
      { kind: "appeal", by, provider: by },
    ]),
    ...(["begin", "seat", "close", "stop", "expire"] as const).flatMap((kind) =>
      some.map((by): Action => ({ kind, by })),
    ),
    ...(["release", "sweep"] as const).map((kind): Action => ({ kind, by: "validator0" })),
    ...rounds.flatMap((round): Action[] => [
      { kind: "claim", by: "provider0", round },
      ...["requester", "provider1", ...model.signers()].map(
        (by): Action => ({ kind: "challenge", by, round }),
      ),
    ]),
    ...about.flatMap((each): Action[] => [
      { kind: "empanel", by: "requester", about: each },
      { kind: "conclude", by: "requester", about: each },
      ...(model.disputes.get(each)?.panel ?? ["validator0"]).flatMap((by): Action[] => [
        { kind: "commit", by, about: each, finding: "right" },
        { kind: "commit", by, about: each, finding: "wrong" },
        { kind: "reveal", by, about: each },
      ]),
    ]),
  ];
}
