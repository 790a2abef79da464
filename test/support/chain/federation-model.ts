import type { FederatedState } from "../../../src/protocol/federated/market/events.ts";

/**
 * One federated job as the contracts' interfaces tell it, written without a look at how they do it. Amounts are units
 * of the chain's coin; people are named, not addressed. Each closed round pays every provider a third of its price and
 * every seat its fee. With `refunds` a strike ends the job, and the honest share the stakes of those whose strikes stand.
 */

export const PRICE = 1_000_003n;
export const FEE = 1_001n;
export const PROVIDER_STAKE = 50_001n;
export const SEAT_STAKE = 20_001n;
export const ROUNDS = 3;
export const PLACES = 3;
export const LEAST = 2;
export const ROUND_WINDOW = 1000;
export const DISPUTE_WINDOW = 400;
export const CLAIM_WINDOW = 180 * 86_400;
const PANEL_FEES = 3n * FEE;
export const BOND = PANEL_FEES + PRICE / 2n;

export type Person = string;
/** What a validator of a panel finds: that what is disputed is right, or one thing that it is instead. */
export type Finding = "right" | "wrong";
type Standing = "enlisted" | "seated" | "struck" | "appealing" | "condemned" | "slashed" | "released";

/** `about`: the provider whose strike is appealed; undefined for a closing. */
export type Action =
  | { kind: "enlist" | "begin" | "seat" | "assertUpload" | "close" | "stop" | "expire"; by: Person }
  | { kind: "claim" | "challenge"; by: Person; round: number }
  | { kind: "release" | "sweep"; by: Person }
  | { kind: "strike" | "appeal"; by: Person; provider: Person }
  | { kind: "empanel" | "conclude" | "reveal"; by: Person; about: Person | undefined }
  | { kind: "commit"; by: Person; about: Person | undefined; finding: Finding };

interface Member {
  standing: Standing;
  readonly seat: boolean;
  asserted: number;
  claimed: bigint;
  appealBy: number;
}

interface Closing {
  readonly closedAt: number;
  readonly asserted: number;
  readonly signers: readonly Person[];
}

interface Dispute {
  readonly challenger: Person;
  readonly round: number;
  readonly back: FederatedState;
  panel: readonly Person[] | undefined;
  readonly committed: Map<Person, Finding>;
  readonly revealed: Map<Person, Finding>;
  deadline: number;
}

export class FederationModel {
  state: FederatedState = "Enlisting";
  deadline: number;
  closings: Closing[] = [];
  seated = 0;
  asserted = 0;
  sharing = 0;
  readonly members = new Map<Person, Member>();
  readonly owed = new Map<Person, bigint>();
  readonly lost = new Map<Person, bigint>();
  burnt = 0n;
  readonly disputes = new Map<Person | undefined, Dispute>();
  readonly #seats: number;
  readonly #refunds: boolean;
  readonly #enlistBy: number;
  readonly #struck = new Set<Person>();
  #stopping = false;
  #confirmed = 0;
  #final = 0;
  #resumedAt = 0;
  #paid = 0n;
  /** Providers whose strikes stood, and the others that have their stakes again. */
  #stood = 0;
  #spared = 0;

  constructor({ seats, refunds, enlistBy }: { seats: number; refunds: boolean; enlistBy: number }) {
    this.#seats = seats;
    this.#refunds = refunds;
    this.#enlistBy = enlistBy;
    this.deadline = enlistBy + DISPUTE_WINDOW;
  }

  get closed(): number {
    return this.closings.length;
  }

  /** Whether the contract lets `action` through at second `at`. */
  allows(action: Action, at: number): boolean {
    const { state } = this;
    const inTime = at <= this.deadline;
    switch (action.kind) {
      case "enlist":
        return (
          state === "Enlisting" &&
          at <= this.#enlistBy &&
          this.members.size < PLACES &&
          !this.members.has(action.by)
        );
      case "begin":
        return state === "Enlisting" && action.by === "requester" && inTime && this.members.size >= LEAST;
      case "seat":
        return state === "Drawing" && inTime;
      case "assertUpload": {
        const member = this.members.get(action.by);
        const may = member?.standing === "enlisted" && member.asserted <= this.closed;
        return state === "Running" && inTime && may;
      }
      case "close":
        if (state !== "Running" || !inTime) return false;
        return this.#seats === 0 ? action.by === "requester" : this.signers().length * 2 > this.seated;
      case "stop":
        if (action.by !== "requester") return false;
        return state === "Enlisting" || state === "Drawing" || (state === "Running" && !this.#stopping);
      case "expire":
        return (state === "Enlisting" || state === "Drawing" || state === "Running") && !inTime;
      case "claim": {
        if (state === "Disputed" || at <= this.#challengeBy(action.round)) return false;
        const sum = this.#claims(action.round).reduce((total, [, amount]) => total + amount, 0n);
        return sum > 0n && this.#paid + sum <= this.#heldBy(action.round);
      }
      case "release":
        return state === "Ended" && !inTime && this.#releasable(at).length > 0;
      case "sweep":
        return (
          state === "Ended" && at > this.deadline + CLAIM_WINDOW && this.#heldBy(this.closed) > this.#paid
        );
      case "challenge": {
        const standing = this.members.get(action.by)?.standing;
        const party = action.by === "requester" || standing === "enlisted" || standing === "seated";
        if (!party || (state !== "Running" && state !== "Ended")) return false;
        const open = action.round > this.#final && action.round !== this.#confirmed;
        return open && at <= this.#challengeBy(action.round);
      }
      case "strike": {
        const open = state === "Running" || state === "Disputed" || (state === "Ended" && inTime);
        const approved = this.signers().length >= 2 && this.signers().length * 2 > this.seated;
        const standing = this.members.get(action.provider)?.standing;
        return open && approved && standing === "enlisted" && !this.#struck.has(action.provider);
      }
      case "appeal": {
        const member = this.members.get(action.provider);
        return action.by === action.provider && member?.standing === "struck" && at <= member.appealBy;
      }
      case "empanel": {
        const dispute = this.disputes.get(action.about);
        return dispute !== undefined && dispute.panel === undefined;
      }
      case "commit": {
        const dispute = this.disputes.get(action.about);
        if (!dispute?.panel?.includes(action.by) || dispute.committed.has(action.by)) return false;
        return at <= dispute.deadline;
      }
      case "reveal": {
        const dispute = this.disputes.get(action.about);
        if (!dispute?.committed.has(action.by) || dispute.revealed.has(action.by)) return false;
        return (allCommitted(dispute) || at > dispute.deadline) && at <= revealBy(dispute);
      }
      case "conclude": {
        const dispute = this.disputes.get(action.about);
        if (dispute?.panel === undefined) return false;
        if (dispute.revealed.size === dispute.panel.length) return true;
        const waiting = dispute.revealed.size < dispute.committed.size;
        return at > (waiting ? revealBy(dispute) : dispute.deadline);
      }
    }
  }

  /** `drawn`: whom the chain drew for the seats or the panel. */
  apply(action: Action, at: number, drawn: readonly Person[]): void {
    switch (action.kind) {
      case "enlist":
        this.members.set(action.by, newMember("enlisted", false));
        return;
      case "begin":
        if (this.#seats === 0) this.#openRound(at);
        else [this.state, this.deadline] = ["Drawing", at + DISPUTE_WINDOW];
        return;
      case "seat":
        for (const name of drawn) this.members.set(name, newMember("seated", true));
        this.seated = drawn.length;
        if (drawn.length === 0) this.#end(at, false);
        else this.#openRound(at);
        return;
      case "assertUpload":
        this.members.get(action.by)!.asserted = this.closed + 1;
        this.asserted += 1;
        return;
      case "close":
        this.closings.push({ closedAt: at, asserted: this.asserted, signers: this.signers() });
        this.asserted = 0;
        if (this.closed === ROUNDS || this.#stopping) this.#end(at, false);
        else this.#openRound(at);
        return;
      case "stop":
        if (this.state === "Running") this.#stopping = true;
        else this.#end(at, true);
        return;
      case "expire":
        this.#end(at, true);
        return;
      case "claim":
        for (const [name, amount] of this.#claims(action.round)) {
          this.members.get(name)!.claimed += amount;
          this.#credit(name, amount);
          this.#paid += amount;
        }
        this.#final = Math.max(this.#final, action.round);
        return;
      case "release":
        // In the order of the call: a stake that waits for one behind it is passed over.
        for (const name of this.members.keys()) if (this.#releasable(at).includes(name)) this.#release(name);
        return;
      case "sweep":
        this.#credit("requester", this.#heldBy(this.closed) - this.#paid);
        this.#paid = this.#heldBy(this.closed);
        return;
      case "challenge":
        this.disputes.set(undefined, newDispute(action.by, action.round, this.state));
        this.state = "Disputed";
        return;
      case "strike": {
        const member = this.members.get(action.provider)!;
        member.standing = "struck";
        member.appealBy = at + DISPUTE_WINDOW;
        this.#struck.add(action.provider);
        if (this.#refunds && this.state === "Running") this.#refund(at, this.signers());
        return;
      }
      case "appeal":
        this.members.get(action.provider)!.standing = "appealing";
        this.disputes.set(action.provider, newDispute(action.provider, 1, this.state));
        return;
      case "empanel": {
        const dispute = this.disputes.get(action.about)!;
        dispute.panel = drawn;
        dispute.deadline = at + ROUND_WINDOW;
        return;
      }
      case "commit": {
        const dispute = this.disputes.get(action.about)!;
        dispute.committed.set(action.by, action.finding);
        if (allCommitted(dispute)) dispute.deadline = at + DISPUTE_WINDOW;
        return;
      }
      case "reveal": {
        const dispute = this.disputes.get(action.about)!;
        dispute.revealed.set(action.by, dispute.committed.get(action.by)!);
        return;
      }
      case "conclude":
        this.#conclude(action.about, at);
    }
  }

  /** Seats that can sign. */
  signers(): Person[] {
    return [...this.members].filter(([, { standing }]) => standing === "seated").map(([name]) => name);
  }

  /** What everybody who earns has earned up to a round. */
  earned(round: number): [Person, bigint][] {
    const each = (seat: boolean) => (seat ? FEE : PRICE / BigInt(PLACES));
    return [...this.members].map(([name, { seat }]) => [name, BigInt(round) * each(seat)]);
  }

  #claims(round: number): [Person, bigint][] {
    return this.earned(round)
      .map(([name, sum]): [Person, bigint] => [name, sum - this.members.get(name)!.claimed])
      .filter(([, amount]) => amount > 0n);
  }

  #challengeBy(round: number): number {
    return Math.max(this.closings[round - 1]!.closedAt, this.#resumedAt) + DISPUTE_WINDOW;
  }

  #heldBy(rounds: number): bigint {
    return BigInt(rounds) * (PRICE + BigInt(this.seated) * FEE);
  }

  /** What no closed round holds. */
  #rest(): bigint {
    return BigInt(ROUNDS) * (PRICE + BigInt(this.#seats) * FEE) - this.#heldBy(this.closed);
  }

  #shares(): bigint {
    return this.sharing === 0 ? 0n : BigInt(this.sharing) * (PRICE / BigInt(this.asserted));
  }

  #openRound(at: number): void {
    this.state = "Running";
    this.deadline = at + ROUND_WINDOW;
  }

  #end(at: number, shares: boolean): void {
    this.#over(at, this.#seats === 0 && (shares || this.closed < ROUNDS));
    this.#credit("requester", this.#rest() - this.#shares());
  }

  #over(at: number, shares: boolean): void {
    this.sharing = shares ? this.asserted : 0;
    this.state = "Ended";
    this.deadline = this.closed === 0 ? 0 : at + DISPUTE_WINDOW;
  }

  #releasable(at: number): Person[] {
    const waiting = this.#refunds ? ["enlisted", "seated"] : ["seated"];
    const open = this.#isStruckOpen();
    const free = ["enlisted", "condemned", "seated"].filter((one) => !open || !waiting.includes(one));
    return [...this.members]
      .filter(([, { standing, appealBy }]) =>
        standing === "struck" ? at > appealBy : free.includes(standing),
      )
      .map(([name]) => name);
  }

  #release(name: Person): void {
    const member = this.members.get(name)!;
    if (this.#refunds) this.#settleStake(name, member);
    else if (isStruck(member)) {
      const compensation = PROVIDER_STAKE / 10n;
      this.#slash(name, PROVIDER_STAKE, PROVIDER_STAKE - compensation);
      this.#credit("requester", compensation);
    }
    if (!member.seat && this.sharing > 0 && member.asserted > this.closed) {
      this.#credit(isStruck(member) ? "requester" : name, PRICE / BigInt(this.asserted));
      this.sharing -= 1;
    }
    member.standing = "released";
  }

  /** What no closed round holds goes back, but for a fee to each seat that struck. */
  #refund(at: number, signers: readonly Person[]): void {
    for (const name of signers) this.#credit(name, FEE);
    this.sharing = 0;
    this.state = "Ended";
    this.deadline = at + DISPUTE_WINDOW;
    this.#credit("requester", this.#rest() - BigInt(signers.length) * FEE);
  }

  /** Of a job with `refunds`: a cheat's stake is for the honest, in equal parts; what does not divide is burnt. */
  #settleStake(name: Person, member: Member): void {
    if (member.seat) return;
    const all = [...this.members.values()].filter(({ seat }) => !seat).length;
    if (isStruck(member)) {
      this.#slash(name, PROVIDER_STAKE, 0n);
      this.#stood += 1;
      if (this.#stood === all) this.#credit("burnt", BigInt(all) * PROVIDER_STAKE);
      return;
    }
    const [forfeit, honest] = [BigInt(this.#stood) * PROVIDER_STAKE, BigInt(all - this.#stood)];
    this.#credit(name, forfeit / honest);
    this.#spared += 1;
    if (this.#spared === all - this.#stood) this.#credit("burnt", forfeit % honest);
  }

  #isStruckOpen(): boolean {
    return [...this.members.values()].some(isStruck);
  }

  #conclude(about: Person | undefined, at: number): void {
    const dispute = this.disputes.get(about)!;
    this.disputes.delete(about);
    const panel = dispute.panel!;
    const count = (finding: Finding) =>
      [...dispute.revealed.values()].filter((one) => one === finding).length;
    const majority = (["right", "wrong"] as const).find((finding) => count(finding) * 2 > panel.length);
    let fees = 0n;
    for (const name of panel) {
      const found = dispute.revealed.get(name);
      if (found === undefined && dispute.committed.has(name)) this.#slash(name, SEAT_STAKE, SEAT_STAKE);
      if (found === undefined || (majority !== undefined && found !== majority)) continue;
      fees += FEE;
      this.#credit(name, FEE);
    }
    const spared = dispute.revealed.size === 0 ? "burnt" : dispute.challenger;
    this.#credit(spared, PANEL_FEES - fees);
    if (about !== undefined) {
      this.#judge(about, majority);
      return;
    }
    this.#resumedAt = at;
    if (majority !== "wrong") {
      this.#credit(majority === "right" ? "burnt" : dispute.challenger, PRICE / 2n);
      this.state = dispute.back;
      this.deadline = at + (dispute.back === "Running" ? ROUND_WINDOW : DISPUTE_WINDOW);
      if (majority === "right") this.#confirmed = dispute.round;
      if (this.#refunds && this.state === "Running" && this.#isStruckOpen()) this.#refund(at, []);
      return;
    }
    this.#credit(dispute.challenger, PRICE / 2n);
    this.#void(dispute, at, fees);
  }

  #void(dispute: Dispute, at: number, fees: bigint): void {
    const given = dispute.back === "Ended" ? this.#rest() - this.#shares() : 0n;
    const first = this.closings[dispute.round - 1]!;
    this.closings = this.closings.slice(0, dispute.round - 1);
    this.asserted = first.asserted;
    this.#over(at, true);
    const rest = this.#rest() - given - this.#shares();
    const back = fees < rest ? fees : rest;
    this.#credit(dispute.challenger, back);
    this.#credit("requester", rest - back);
    for (const name of first.signers) this.#unseat(name);
  }

  #judge(provider: Person, majority: Finding | undefined): void {
    this.members.get(provider)!.standing = majority === "right" ? "condemned" : "enlisted";
    if (majority === "wrong") for (const name of this.strikers.get(provider)!) this.#unseat(name);
  }

  /** Who signed the strike of each provider. */
  readonly strikers = new Map<Person, readonly Person[]>();

  #unseat(name: Person): void {
    const member = this.members.get(name)!;
    if (member.standing !== "seated") return;
    member.standing = "slashed";
    this.#slash(name, SEAT_STAKE, SEAT_STAKE);
  }

  #slash(name: Person, amount: bigint, burnt: bigint): void {
    this.lost.set(name, (this.lost.get(name) ?? 0n) + amount);
    this.burnt += burnt;
  }

  #credit(name: Person, amount: bigint): void {
    this.owed.set(name, (this.owed.get(name) ?? 0n) + amount);
  }
}

/** Still with its stake: a strike can be appealed, or is, or stands. */
function isStruck({ standing }: Member): boolean {
  return standing === "struck" || standing === "appealing" || standing === "condemned";
}

function newMember(standing: Standing, seat: boolean): Member {
  return { standing, seat, asserted: 0, claimed: 0n, appealBy: 0 };
}

function newDispute(challenger: Person, round: number, back: FederatedState): Dispute {
  const maps = { committed: new Map<Person, Finding>(), revealed: new Map<Person, Finding>() };
  return { challenger, round, back, panel: undefined, ...maps, deadline: 0 };
}

function allCommitted({ committed, panel }: Dispute): boolean {
  return committed.size === panel?.length;
}

function revealBy(dispute: Dispute): number {
  return dispute.deadline + (allCommitted(dispute) ? 0 : DISPUTE_WINDOW);
}
