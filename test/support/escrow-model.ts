import type { JobState } from "../../src/protocol/state.ts";

/**
 * One job as test/contracts/INVARIANTS.md and the design's table tell it, written without a look at how the
 * contract does it. Amounts are units of the chain's coin; people are named, not addressed.
 */

export const PRICE = 1_000_000n;
export const FEE = 1_001n;
export const PROVIDER_STAKE = 50_001n;
export const VALIDATOR_STAKE = 20_001n;
export const WINDOW = 1000;
const PANEL = 3;

export type Person = string;
export type Vote = "pass" | "fail";

interface Seat {
  round: 1 | 2;
  vote: Vote | undefined;
  status: "appointed" | "committed" | "revealed" | "abstained" | "dismissed";
}

export type Action =
  | {
      kind: "accept" | "submit" | "cancel" | "release" | "expire" | "appoint" | "draw" | "dismiss";
      by: Person;
    }
  | { kind: "disclose" | "conclude" | "claim" | "challenge" | "appeal" | "settle"; by: Person }
  | { kind: "commit"; by: Person; vote: Vote }
  | { kind: "abstain" | "reveal" | "revealAlone"; by: Person }
  | { kind: "rate"; by: Person; subject: Person };

export class EscrowModel {
  state: JobState = "Posted";
  readonly seats = new Map<Person, Seat>();
  readonly owed = new Map<Person, bigint>();
  readonly slashed = new Map<Person, bigint>();
  deadline: number;
  toDraw = 0;
  /** True when the block that decides the draw is past. */
  seedKnown = false;
  #disclosed = false;
  #replaced = false;
  #vacant = 0;
  #round: 1 | 2 = 1;
  #challenged = false;
  readonly #rated = new Set<string>();
  readonly asked: number;
  readonly named: readonly Person[];

  constructor(asked: number, named: readonly Person[], acceptBy: number) {
    this.asked = asked;
    this.named = named.slice(0, asked);
    this.deadline = acceptBy;
  }

  /** Whether `action` at `now` goes through. */
  allows(action: Action, now: number): boolean {
    const { by } = action;
    const inTime = now <= this.deadline;
    const requester = by === "requester";
    const provider = by === "provider";
    const seat = this.seats.get(by);
    const waiting = this.state === "Validating";
    const revealing = waiting && this.toDraw === 0 && this.pending().length === 0;
    switch (action.kind) {
      case "accept":
        return this.state === "Posted" && provider && inTime;
      case "cancel":
        return this.state === "Posted" && (requester || !inTime);
      case "submit":
      case "release":
        return this.state === "Accepted" && provider && inTime;
      case "expire":
        return (
          !inTime &&
          (this.state === "Accepted" ||
            (this.state === "Submitted" && this.asked === 0) ||
            (this.state === "Validated" && !this.#challenged))
        );
      case "appoint":
        return this.state === "Submitted" && requester && inTime && this.asked > 0;
      case "draw":
        if (this.state === "Submitted") return this.asked > 0 && !inTime;
        return waiting && this.toDraw > 0 && this.seedKnown;
      case "dismiss":
        return waiting && this.pending().length > 0 && !inTime;
      case "commit":
      case "abstain":
        return waiting && seat?.status === "appointed" && inTime;
      case "reveal":
      case "revealAlone":
        return revealing && seat?.status === "committed" && inTime;
      case "disclose":
        return revealing && !this.#disclosed && inTime;
      case "conclude":
        return revealing && !inTime;
      case "claim":
        if (!provider || !inTime) return false;
        return this.asked === 0 && this.state === "Submitted"
          ? true
          : this.state === "Validated" && !this.#challenged;
      case "challenge":
        return this.state === "Claimed" && requester && inTime;
      case "appeal":
        return this.state === "Rejected" && provider && inTime && this.#appealable();
      case "settle":
        if (this.state === "Claimed") return requester || !inTime;
        if (this.state === "Rejected") return !this.#appealable() || !inTime;
        return this.state === "Inconclusive" || (this.state === "Validated" && this.#challenged);
      case "rate":
        return this.#mayRate(by, action.subject);
    }
  }

  /** What an allowed action does; `drawn` are those whom the chain drew. */
  apply(action: Action, now: number, drawn: readonly Person[] = []): void {
    const { by } = action;
    switch (action.kind) {
      case "accept":
        this.#go("Accepted", now + WINDOW);
        break;
      case "cancel":
        this.#pay("requester", PRICE + this.#fees());
        this.#go("Cancelled", 0);
        break;
      case "submit":
        this.#go("Submitted", now + WINDOW);
        break;
      case "release":
        this.#refund(0n, 0n);
        break;
      case "expire":
        this.#refund(PROVIDER_STAKE, PROVIDER_STAKE);
        break;
      case "appoint":
        this.#go("Validating", now + WINDOW);
        for (const person of this.named) this.#seat(person);
        break;
      case "draw":
        if (this.state === "Submitted") {
          this.state = "Validating";
          this.toDraw = this.asked;
        } else {
          this.toDraw = 0;
          this.deadline = now + WINDOW;
          for (const person of drawn) this.#seat(person);
          this.#endCommitting(now);
        }
        break;
      case "dismiss":
        for (const person of this.pending()) this.#vacate(person, "dismissed");
        this.#endCommitting(now);
        break;
      case "commit":
        this.#set(by, "committed", action.vote);
        this.#endCommitting(now);
        break;
      case "abstain":
        this.#vacate(by, "abstained");
        this.#endCommitting(now);
        break;
      case "reveal":
      case "revealAlone":
        this.#set(by, "revealed");
        if (action.kind === "reveal") this.#disclosed = true;
        this.#endRevealing(now, false);
        break;
      case "disclose":
        this.#disclosed = true;
        this.#endRevealing(now, false);
        break;
      case "conclude":
        this.#endRevealing(now, true);
        break;
      case "claim":
        if (this.state === "Submitted") this.#go("Claimed", now + WINDOW);
        else this.#settle();
        break;
      case "challenge":
        this.#challenged = true;
        this.#redraw();
        break;
      case "appeal":
        this.#round = 2;
        this.#redraw();
        break;
      case "settle":
        if (this.state === "Rejected") this.#refund(PROVIDER_STAKE, PROVIDER_STAKE - PROVIDER_STAKE / 2n);
        else if (this.state === "Inconclusive" && !this.#challenged) this.#refund(0n, 0n);
        else this.#settle();
        break;
      case "rate":
        this.#rated.add(`${by}→${action.subject}`);
    }
  }

  /** Seats of this round that may still commit. */
  pending(): Person[] {
    return this.of("appointed");
  }

  /** Seats of this round in a status. */
  of(status: Seat["status"]): Person[] {
    return [...this.seats]
      .filter(([, s]) => s.round === this.#round && s.status === status)
      .map(([who]) => who);
  }

  #endCommitting(now: number): void {
    if (this.pending().length > 0) return;
    if (this.#vacant > 0 && !this.#replaced) {
      this.#replaced = true;
      this.toDraw = this.#vacant;
      this.#vacant = 0;
      this.seedKnown = false;
    } else if (this.#working().length === 0) this.#go("Inconclusive", now);
    else this.deadline = now + WINDOW;
  }

  #endRevealing(now: number, late: boolean): void {
    const seats = this.#working();
    const revealed = seats.filter(({ status }) => status === "revealed");
    if (!late && !(this.#disclosed && revealed.length === seats.length)) return;
    const passes = revealed.filter(({ vote }) => vote === "pass").length;
    const fails = revealed.length - passes;
    if (!this.#disclosed) this.#go(revealed.length > 0 ? "Rejected" : "Inconclusive", now);
    else if (2 * passes > seats.length) this.#go("Validated", this.#challenged ? now : now + WINDOW);
    else if (2 * fails > seats.length) this.#go("Rejected", this.#round === 1 ? now + WINDOW : now);
    else this.#go("Inconclusive", now);
  }

  #settle(): void {
    const overruled = this.state === "Validated" && this.#round === 2;
    this.#pay("provider", PRICE);
    this.#closeSeats(overruled);
    this.#go("Settled", 0);
  }

  #refund(loss: bigint, compensation: bigint): void {
    this.#pay("requester", PRICE + compensation);
    if (loss > 0n) this.slashed.set("provider", loss);
    this.#closeSeats(false);
    this.#go("Refunded", 0);
  }

  #closeSeats(overruled: boolean): void {
    let first = this.#challenged ? BigInt(PANEL) * FEE : this.#fees();
    let second = this.#round === 2 ? BigInt(PANEL) * FEE : 0n;
    for (const [who, { round, status, vote }] of this.seats) {
      if (status === "committed") {
        this.slashed.set(who, VALIDATOR_STAKE);
        this.#pay("requester", VALIDATOR_STAKE / 2n);
        this.#pay("provider", VALIDATOR_STAKE - VALIDATOR_STAKE / 2n);
      } else if (status === "revealed") {
        if (round === 1) first -= FEE;
        else second -= FEE;
        const liar = overruled && round === 1 && vote === "fail";
        if (liar) this.slashed.set(who, VALIDATOR_STAKE);
        this.#pay(liar ? "provider" : who, liar ? FEE + VALIDATOR_STAKE : FEE);
      }
    }
    this.#pay("requester", first);
    this.#pay("provider", second);
  }

  #redraw(): void {
    this.state = "Validating";
    this.toDraw = PANEL;
    this.seedKnown = false;
    this.#disclosed = false;
    this.#replaced = false;
    this.#vacant = 0;
  }

  #mayRate(by: Person, subject: Person): boolean {
    if (this.state !== "Settled" && this.state !== "Refunded") return false;
    if (this.#rated.has(`${by}→${subject}`)) return false;
    if (by === "provider") return subject === "requester";
    return by === "requester" && (subject === "provider" || this.seats.get(subject)?.status === "revealed");
  }

  /** Seats of this round that were not left. */
  #working(): Seat[] {
    const left = new Set(["abstained", "dismissed"]);
    return [...this.seats.values()].filter(({ round, status }) => round === this.#round && !left.has(status));
  }

  #appealable(): boolean {
    return this.#disclosed && this.#round === 1;
  }

  #fees(): bigint {
    return BigInt(this.asked) * FEE;
  }

  #seat(who: Person): void {
    this.seats.set(who, { round: this.#round, vote: undefined, status: "appointed" });
  }

  #vacate(who: Person, status: "abstained" | "dismissed"): void {
    this.#set(who, status);
    this.#vacant += 1;
  }

  #set(who: Person, status: Seat["status"], vote?: Vote): void {
    const seat = this.seats.get(who);
    if (seat !== undefined) this.seats.set(who, { ...seat, status, vote: vote ?? seat.vote });
  }

  #pay(who: Person, amount: bigint): void {
    if (amount > 0n) this.owed.set(who, (this.owed.get(who) ?? 0n) + amount);
  }

  #go(state: JobState, deadline: number): void {
    this.state = state;
    this.deadline = deadline;
  }
}
