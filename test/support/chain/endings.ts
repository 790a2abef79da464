import assert from "node:assert/strict";
import type { Ending, Round, Seat, SeatEnd, Terms as Sums } from "../../../scripts/sim/rules.ts";
import { type Address, type Hex, ZERO_ADDRESS } from "../../../src/protocol/ids.ts";
import { blindKey, keyCommitment, maskHash } from "../../../src/protocol/job/exchange.ts";
import { jobIdOf } from "../../../src/protocol/job/job-id.ts";
import { measurementCommitment } from "../../../src/protocol/job/measurement.ts";
import { packTerms } from "../../../src/protocol/job/packed-terms.ts";
import { secretsCommitment } from "../../../src/protocol/job/seeds.ts";
import type { Terms } from "../../../src/protocol/job/terms.ts";
import { type Actor, type Market, random32 } from "./escrow.ts";
import { MASK, opening, providerSeed, providerTip, requesterTip, someSecretHash } from "./secrets.ts";
import { someTerms } from "./terms.ts";

/** One round: how its seats end, those that fill the seats which were left, and what the provider hides in it. */
export interface Held {
  readonly round: Round;
  readonly seats: readonly SeatEnd[];
  readonly refill?: readonly SeatEnd[];
  /** The requester keeps its seed from the round's draws; in the first round, it appoints nobody. */
  readonly oneSided?: boolean;
  readonly hides?: "measurement" | "seed";
}

/** How a job goes: what `rules.ts` calls its ending, and the rounds that lead to it. */
export interface Script {
  readonly state: Ending<string>["state"];
  readonly validators: number;
  readonly rounds: readonly Held[];
}

const WINDOW = 3600;
const OUTPUTS = random32();
const OTHERS = random32();
const SALT = random32();
const GOOD = 900n;
const EMPTY = "0x";

/** Plays a script through the calls that anybody can make, with one account for each party. */
export class Course {
  readonly sent = new Map<string, bigint>();
  readonly gas = new Map<string, number>();
  readonly #market: Market;
  readonly #requester: Actor;
  readonly #provider: Actor;
  readonly #named: readonly Actor[];
  readonly #seats: Seat<string>[] = [];
  readonly #blinded = blindKey(random32(), MASK);
  #terms!: Terms;
  #id!: Hex;
  #draws = 0;
  /** The claim waits, or will wait, for a challenge. */
  #open = false;
  #claimed = false;
  #paid = 0n;

  constructor(market: Market, [requester, provider, ...named]: readonly Actor[]) {
    this.#market = market;
    this.#requester = requester!;
    this.#provider = provider!;
    this.#named = named;
  }

  /** Plays it to its end, and says what that is. */
  async play(script: Script, sums: Sums): Promise<Ending<string>> {
    await this.#post(sums);
    await this.#run(script);
    const last = script.rounds.at(-1);
    const { length: seated } = this.#seats.filter(
      ({ round, end }) => round === last?.round && end !== "left",
    );
    const passes = this.#seats.filter(({ round, end }) => round === last?.round && end === "pass").length;
    return {
      state: script.state,
      round: last?.round ?? "first",
      passed: last !== undefined && 2 * passes > seated,
      seats: this.#seats,
      challenged: script.rounds.some(({ round }) => round === "challenge"),
      appealed: script.rounds.some(({ round }) => round === "appeal"),
      named: script.rounds[0]?.round === "first" && script.rounds[0].oneSided !== true,
      paid: this.#paid,
    };
  }

  async #post(sums: Sums): Promise<void> {
    const windows = { run: WINDOW, appoint: WINDOW, commit: WINDOW, reveal: WINDOW, claim: WINDOW };
    this.#terms = someTerms(this.#requester.address, this.#provider.address, {
      ...{ ...sums, token: ZERO_ADDRESS, secretHash: someSecretHash },
      // Outputs decide between pass and fail, the score alone between pass and unmet.
      ...{ mode: "evaluate", tolerance: 2n ** 63n, threshold: GOOD },
      acceptBy: (await this.#market.now()) + WINDOW,
      windows: { ...windows, challenge: WINDOW, appeal: WINDOW },
    });
    this.#id = jobIdOf(
      this.#market.chainId,
      (await this.#market.escrow.getAddress()) as Address,
      this.#terms,
    );
    const value = sums.price + BigInt(sums.validators) * sums.validatorFee;
    await this.#send(this.#requester, "post", [requesterTip, EMPTY], value);
  }

  async #run({ state, validators, rounds }: Script): Promise<void> {
    if (state === "cancelled") return this.#send(this.#requester, "cancel", []);
    await this.#send(this.#provider, "accept", []);
    if (state === "released") return this.#send(this.#provider, "release", [EMPTY, EMPTY]);
    if (state === "stopped") return this.#stop();
    if (state === "runMissed") return this.#expire(1);
    const commitment = this.#commitment();
    await this.#send(this.#provider, "submit", [random32(), commitment, this.#key(), providerTip, EMPTY]);
    if (validators === 0 && rounds.length > 0) await this.#claim();
    for (const held of rounds) await this.#hold(held, validators);
    if (state === "claimMissed") return this.#expire(rounds.length === 0 && validators > 0 ? 2 : 1);
    const challenged = rounds.some(({ round }) => round === "challenge");
    if (state === "settled" && !challenged) {
      await this.#claim();
      if (this.#open) await this.#send(this.#requester, "settle", [this.#panel()]);
      return;
    }
    await this.#pass(WINDOW + 1);
    await this.#send(this.#requester, "settle", [this.#panel()]);
  }

  async #stop(): Promise<void> {
    await this.#pass(WINDOW / 3);
    await this.#send(this.#requester, "stop", []);
    const { escrow } = this.#market;
    const [log] = await escrow.queryFilter(escrow.filters.Stopped!(this.#id));
    this.#paid = escrow.interface.parseLog(log!)!.args.paid;
  }

  async #hold(
    { round, seats, refill = [], oneSided = false, hides }: Held,
    validators: number,
  ): Promise<void> {
    const bond = 3n * this.#terms.validatorFee;
    let people: readonly Actor[];
    if (round === "first" && !oneSided) {
      people = this.#named.slice(0, validators);
      const appointments = people.map(({ address }) => ({ validator: address, sealedLocator: EMPTY }));
      await this.#send(this.#requester, "appoint", [appointments]);
    } else {
      if (round === "first") this.#draws++;
      if (round === "challenge") {
        if (!this.#claimed) await this.#claim();
        const { maskHash: hash, seed } = opening(++this.#draws);
        await this.#send(this.#requester, "challenge", [hash, seed], bond + this.#terms.price / 2n);
      }
      if (round === "appeal") {
        await this.#send(this.#provider, "appeal", [], bond);
        this.#draws++;
        if (!oneSided) await this.#openSeed();
      }
      if (hides === "seed" && refill.length === 0 && !seats.includes("left")) return this.#concludeDraw();
      people = await this.#draw(oneSided);
    }
    await this.#commitAll(round, people, seats);
    if (seats.includes("left")) {
      this.#draws++;
      if (hides === "seed") return this.#concludeDraw();
      if (!oneSided) await this.#openSeed();
      const drawn = await this.#draw(oneSided);
      people = [...people, ...drawn];
      await this.#commitAll(round, drawn, refill);
    }
    this.#open = oneSided;
    await this.#reveal(people, [...seats, ...refill], hides === "measurement");
  }

  async #commitAll(round: Round, people: readonly Actor[], ends: readonly SeatEnd[]): Promise<void> {
    assert.equal(people.length, ends.length, `${round}: as many validators as the script has seats`);
    for (const [i, who] of people.entries()) {
      const end = ends[i]!;
      this.#seats.push({ who: who.address, round, end });
      if (end === "left") await this.#send(who, "abstain", [EMPTY]);
      else await this.#send(who, "commit", [this.#commitment(who, end)]);
    }
  }

  async #reveal(people: readonly Actor[], ends: readonly SeatEnd[], hidden: boolean): Promise<void> {
    const secrets = secretsCommitment(this.#key(), providerTip);
    for (const [i, who] of people.entries()) {
      const end = ends[i]!;
      if (end === "left" || end === "hid") continue;
      if (end === "unheard") await this.#send(who, "revealAlone", [this.#found(end)]);
      else await this.#send(who, "reveal", [this.#found(end), this.#found("pass"), secrets]);
    }
    const voted = ends.some((end) => end === "pass" || end === "fail" || end === "unmet");
    const complete = !hidden && !ends.includes("hid") && voted;
    if (complete || ends.every((end) => end === "left")) return;
    await this.#pass(2 * WINDOW + 2);
    await this.#send(this.#requester, "conclude", []);
  }

  /** The provider lets its turn to draw pass. */
  async #concludeDraw(): Promise<void> {
    await this.#pass(2 * WINDOW + 2);
    await this.#send(this.#requester, "conclude", []);
  }

  async #openSeed(): Promise<void> {
    const { maskHash: hash, seed } = opening(this.#draws);
    assert.equal(hash, maskHash(MASK));
    await this.#send(this.#requester, "revealSeed", [hash, seed]);
  }

  /** The provider draws; with nobody's help only after the requester's turn. */
  async #draw(oneSided: boolean): Promise<Actor[]> {
    if (oneSided) await this.#pass(WINDOW + 1);
    const before = await this.#market.provider.getBlockNumber();
    await this.#send(this.#provider, "draw", [this.#commitment(), this.#key(), providerSeed(this.#draws)]);
    const { escrow, actors } = this.#market;
    const logs = await escrow.queryFilter(escrow.filters.Appointed!(this.#id), before + 1);
    const drawn = logs.map((log) => escrow.interface.parseLog(log)!.args.validator as string);
    return drawn.map((address) => actors.find((actor) => actor.address === address)!);
  }

  async #claim(): Promise<void> {
    const validators = this.#terms.validators;
    await this.#send(this.#provider, "claim", [
      this.#blinded,
      this.#commitment(),
      providerTip,
      this.#panel(),
    ]);
    this.#claimed = true;
    if (validators === 0) this.#open = true;
  }

  async #expire(windows: number): Promise<void> {
    await this.#pass(windows * WINDOW + 2);
    await this.#send(this.#requester, "expire", [this.#panel()]);
  }

  async #pass(seconds: number): Promise<void> {
    await this.#market.rpc("evm_increaseTime", seconds);
    await this.#market.rpc("evm_mine");
  }

  async #send(actor: Actor, name: string, args: readonly unknown[], value = 0n): Promise<void> {
    const { escrow } = this.#market;
    const receipt = await this.#market.send(escrow, actor, name, [packTerms(this.#terms), ...args], value);
    this.sent.set(actor.address, (this.sent.get(actor.address) ?? 0n) + value);
    this.gas.set(name, Number(receipt.gasUsed));
  }

  #found(end: SeatEnd) {
    return {
      digest: end === "fail" ? OTHERS : OUTPUTS,
      score: end === "unmet" ? GOOD - 1n : GOOD,
      salt: SALT,
    };
  }

  #commitment(who: Actor = this.#provider, end: SeatEnd = "pass"): Hex {
    return measurementCommitment(this.#id, who.address, this.#found(end));
  }

  #key(): Hex {
    return keyCommitment(this.#id, this.#blinded);
  }

  #panel(): string[] {
    return this.#seats.map(({ who }) => who).sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  }
}
