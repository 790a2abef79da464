import type { JobState } from "../../../src/protocol/job/state.ts";

/**
 * One job as test/contracts/INVARIANTS.md and the design's table tell it, written without a look at how the
 * contract does it. Amounts are units of the chain's coin; people are named, not addressed.
 */

export const PRICE = 1_000_000n;
export const FEE = 1_001n;
export const PROVIDER_STAKE = 50_001n;
export const VALIDATOR_STAKE = 20_001n;
/** Shares of the price, in 1/10,000. */
export const EFFORT = 3_000;
export const STOP = { floor: 1_000, cap: 9_000 };
export const WINDOW = 1000;
const PANEL = 3;

export type Person = string;
/** `unmet`: the same as the provider, and short of what was asked for. */
export type Vote = "pass" | "fail" | "unmet";

type Round = "first" | "challenge" | "appeal";

interface Seat {
  round: Round;
  vote: Vote | undefined;
  status: "appointed" | "committed" | "revealed" | "abstained" | "dismissed";
}

export type Action =
  | {
      kind: "accept" | "submit" | "cancel" | "release" | "stop" | "expire" | "appoint" | "dismiss";
      by: Person;
    }
  | { kind: "revealSeed" | "draw"; by: Person }
  | { kind: "disclose" | "conclude" | "claim" | "challenge" | "appeal" | "settle"; by: Person }
  | { kind: "commit"; by: Person; vote: Vote }
  | { kind: "abstain" | "reveal" | "revealAlone"; by: Person }
  | { kind: "rate"; by: Person; subject: Person };

export class EscrowModel {
  state: JobState = "Posted";
  readonly seats = new Map<Person, Seat>();
  readonly owed = new Map<Person, bigint>();
  readonly slashed = new Map<Person, bigint>();
  /** What of slashed stakes was not burnt. */
  compensation = 0n;
  deadline: number;
  toDraw = 0;
  /** Draws so far, the one under way included. */
  draws = 0;
  /** The requester's seed for the draw under way is known. */
  seeded = false;
  #disclosed = false;
  #replaced = false;
  #vacant = 0;
  #round: Round = "first";
  #challenged = false;
  #appealed = false;
  /** Somebody in this round was drawn without the requester's seed. */
  #oneSided = false;
  /** The requester chose the first validators. */
  #chosen = false;
  #verdict: Vote | undefined;
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
    const drawing = waiting && this.toDraw > 0;
    const revealing = waiting && !drawing && this.pending().length === 0;
    const mine = seat !== undefined && seat.round === this.#round;
    switch (action.kind) {
      case "accept":
        return this.state === "Posted" && provider && inTime;
      case "cancel":
        return this.state === "Posted" && (requester || !inTime);
      case "submit":
      case "release":
        return this.state === "Accepted" && provider && inTime;
      case "stop":
        return this.state === "Accepted" && requester && inTime;
      case "expire":
        if (this.state === "Submitted") return now > this.#lateDeadline();
        return !inTime && (this.state === "Accepted" || (this.state === "Validated" && !this.#challenged));
      case "appoint":
        return this.state === "Submitted" && requester && inTime && this.asked > 0;
      case "revealSeed":
        return drawing && requester && !this.seeded && inTime;
      case "draw":
        if (!provider || now > this.#lateDeadline()) return false;
        return (
          (this.state === "Submitted" && this.asked > 0 && !inTime) || (drawing && (this.seeded || !inTime))
        );
      case "dismiss":
        return waiting && this.pending().length > 0 && !inTime;
      case "commit":
      case "abstain":
        return waiting && seat?.status === "appointed" && inTime;
      case "reveal":
      case "revealAlone":
        return revealing && mine && seat.status === "committed" && inTime;
      case "disclose":
        return revealing && !this.#disclosed && now <= this.#lateDeadline();
      case "conclude":
        return (drawing || revealing) && now > this.#lateDeadline();
      case "claim":
        if (!provider || !inTime) return false;
        return this.asked === 0 && this.state === "Submitted"
          ? true
          : this.state === "Validated" && !this.#challenged;
      case "challenge":
        return this.state === "Claimed" && requester && inTime;
      case "appeal":
        return provider && inTime && this.#appealable();
      case "settle":
        if (this.state === "Claimed") return requester || !inTime;
        if (this.state === "Rejected" || this.state === "Inconclusive") return !this.#appealable() || !inTime;
        return this.state === "Validated" && this.#challenged;
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
        this.#refund("none");
        break;
      case "stop": {
        const used = Math.floor(((WINDOW - (this.deadline - now)) * 10_000) / WINDOW);
        this.#refund("none", Math.max(STOP.floor, Math.min(STOP.cap, used)));
        break;
      }
      case "expire":
        this.#refund("objective");
        break;
      case "appoint":
        this.#go("Validating", now + WINDOW);
        this.#chosen = true;
        for (const person of this.named) this.#seat(person);
        break;
      case "revealSeed":
        this.seeded = true;
        this.deadline = now + WINDOW;
        break;
      case "draw":
        if (this.state === "Submitted") this.draws = 1;
        this.#oneSided ||= !this.seeded;
        this.seeded = false;
        this.toDraw = 0;
        this.#go("Validating", now + WINDOW);
        for (const person of drawn) this.#seat(person);
        this.#endCommitting(now);
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
        if (this.toDraw > 0) this.#go("Rejected", now);
        else this.#endRevealing(now, true);
        break;
      case "claim":
        if (this.state === "Submitted" || this.#oneSided) this.#go("Claimed", now + WINDOW);
        else this.#settle();
        break;
      case "challenge":
        this.#challenged = true;
        this.#redraw("challenge", now);
        this.seeded = true;
        break;
      case "appeal":
        this.#appealed = true;
        this.#redraw("appeal", now);
        break;
      case "settle":
        if (this.#verdict === "unmet") this.#refund("none", EFFORT);
        else if (this.state === "Rejected") this.#refund(this.#disclosed ? "measured" : "objective");
        else if (this.state === "Inconclusive" && this.#round !== "challenge") this.#refund("none");
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
      this.#schedule(this.#vacant, now);
      this.#vacant = 0;
    } else if (this.#working().length === 0) this.#judge("Inconclusive", now);
    else this.deadline = now + WINDOW;
  }

  #endRevealing(now: number, late: boolean): void {
    const seats = this.#working();
    const revealed = seats.filter(({ status }) => status === "revealed");
    if (!late && !(this.#disclosed && revealed.length === seats.length)) return;
    const passes = revealed.filter(({ vote }) => vote === "pass").length;
    const fails = revealed.filter(({ vote }) => vote === "fail").length;
    const unmet = revealed.length - passes - fails;
    if (!this.#disclosed) this.#judge(revealed.length > 0 ? "Rejected" : "Inconclusive", now);
    else if (2 * passes > seats.length) this.#judge("Validated", now);
    else if (2 * fails > seats.length) this.#judge("Rejected", now);
    else if (2 * unmet > seats.length) this.#judge("Rejected", now, "unmet");
    else this.#judge("Inconclusive", now);
  }

  #judge(state: "Validated" | "Rejected" | "Inconclusive", now: number, wrong: Vote = "fail"): void {
    this.state = state;
    if (state === "Validated") this.#verdict = "pass";
    else if (state === "Rejected" && this.#disclosed) this.#verdict = wrong;
    const open = this.#appealable() || (state === "Validated" && !this.#challenged);
    this.deadline = open ? now + WINDOW : now;
  }

  /** Until when the provider may answer: its turn to draw, or a revealed measurement, has a window more. */
  #lateDeadline(): number {
    const undrawn = this.toDraw > 0 ? !this.seeded : this.state === "Submitted" && this.asked > 0;
    const unanswered = !this.#disclosed && this.of("revealed").length > 0;
    return undrawn || unanswered ? this.deadline + WINDOW : this.deadline;
  }

  #settle(): void {
    this.#pay("provider", PRICE);
    this.#closeSeats();
    this.#go("Settled", 0);
  }

  /**
   * `measured`: a panel found the result wrong; `objective`: the provider missed or hid something. `share` of the price,
   * in 1/10,000, is the provider's all the same.
   */
  #refund(fault: "none" | "measured" | "objective", share = 0): void {
    const earned = (PRICE * BigInt(share)) / 10_000n;
    this.#pay("provider", earned);
    this.#pay("requester", PRICE - earned);
    if (fault !== "none") {
      this.slashed.set("provider", PROVIDER_STAKE);
      if (fault === "objective" || !this.#chosen) this.compensation = PROVIDER_STAKE / 10n;
      this.#pay("requester", this.compensation);
    }
    this.#closeSeats();
    this.#go("Refunded", 0);
  }

  #closeSeats(): void {
    const bond = BigInt(PANEL) * FEE;
    let first = this.#fees() + (this.#challenged ? bond : 0n);
    let second = this.#appealed ? bond : 0n;
    for (const [who, seat] of this.seats) {
      const end = this.#endOf(seat);
      if (end === "slashed" || end === "overruled") this.slashed.set(who, VALIDATOR_STAKE);
      // A fee is paid, lost to the provider by who wrongly said fail, or stays with the side it would have come from.
      const hard = seat.vote === "fail" || (seat.vote === "unmet" && this.#verdict === "pass");
      const payee = end === "paid" ? who : end === "overruled" && hard ? "provider" : undefined;
      if (payee === undefined) continue;
      if (seat.round === "appeal") second -= FEE;
      else first -= FEE;
      this.#pay(payee, FEE);
    }
    this.#pay("requester", first);
    this.#pay("provider", second);
    // A lost challenge burns it.
    if (this.#challenged && this.#verdict !== "pass") this.#pay("requester", PRICE / 2n);
  }

  #endOf({ round, status, vote }: Seat): "none" | "paid" | "slashed" | "overruled" {
    const earlier = round !== this.#round;
    if (status === "committed") return !earlier && this.toDraw > 0 ? "paid" : "slashed";
    if (status !== "revealed") return "none";
    return earlier && this.#verdict !== undefined && vote !== this.#verdict ? "overruled" : "paid";
  }

  #redraw(round: Round, now: number): void {
    this.state = "Validating";
    this.#round = round;
    this.#verdict = undefined;
    this.#disclosed = false;
    this.#replaced = false;
    this.#oneSided = false;
    this.#vacant = 0;
    this.#schedule(PANEL, now);
  }

  /** Seats are to be drawn: first the requester's turn to show its seed, then the provider's. */
  #schedule(seats: number, now: number): void {
    this.toDraw = seats;
    this.draws += 1;
    this.seeded = false;
    this.deadline = now + WINDOW;
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
    if (this.#appealed) return false;
    if (this.state === "Rejected") return this.#disclosed;
    return this.state === "Inconclusive" && this.#round !== "challenge";
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
