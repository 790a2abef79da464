import { decodeJobEvent } from "../../../src/chain/abi/decode.ts";
import { encodeCall } from "../../../src/chain/abi/encode.ts";
import type { Addresses } from "../../../src/chain/addresses.ts";
import type { Call } from "../../../src/ports/market.ts";
import { type Address, type Hex, sameAddress } from "../../../src/protocol/ids.ts";
import { blindKey, keyCommitment } from "../../../src/protocol/job/exchange.ts";
import {
  drawTurnOf,
  exitOf,
  hasRevealed,
  isAppealable,
  lastInstantOf,
} from "../../../src/protocol/job/exits.ts";
import { fold } from "../../../src/protocol/job/fold.ts";
import type { Job, Validation } from "../../../src/protocol/job/job.ts";
import { type Measurement, measurementCommitment } from "../../../src/protocol/job/measurement.ts";
import { isFinal } from "../../../src/protocol/job/state.ts";
import type { Terms } from "../../../src/protocol/job/terms.ts";
import { fetchSeconds, type Pace, runsIn, STUCK_SECONDS } from "../../../src/protocol/policy/windows.ts";
import type { Actor, Market } from "../chain/escrow.ts";
import { MASK, opening, providerSeed, providerTip, requesterTip } from "../chain/secrets.ts";
import { random32 } from "../chain/terms.ts";

/** What befalls one honest call, within what `protocol/windows.ts` leaves room for. */
export interface Luck {
  /** Blocks that each try waits beyond the next one. */
  readonly extra: readonly (0 | 1)[];
  /** Blocks until a reorganisation that undoes a try is noticed. */
  readonly undone: readonly number[];
  readonly stuck: boolean;
  readonly workSeconds: number;
  /** Of the time that the work of the step itself may take. */
  readonly share: number;
}

/** How a hostile requester and the validators that it names use their windows. */
export interface Hostility {
  readonly appoints: "at once" | "in the last second" | "never";
  readonly names: "honest" | "hostile";
  readonly seeds: "in the last second" | "never";
  readonly votes: "in the last second" | "hides" | "never commits";
  readonly challenges: boolean;
}

export interface Play {
  readonly pace: Pace;
  readonly terms: Terms;
  /** Seconds of one run, and bytes that a validator fetches. */
  readonly time: number;
  readonly fetchBytes: number;
  readonly hostility: Hostility;
  readonly luck: () => Luck;
}

export interface Cast {
  readonly requester: Actor;
  readonly provider: Actor;
  /** Members of the pool. */
  readonly honest: readonly Actor[];
  readonly hostile: readonly Actor[];
}

interface Plan {
  /** Seconds of each try's block; all but the last are undone by a reorganisation. */
  readonly tries: readonly number[];
  readonly by: Actor;
  readonly call: (job: Job) => Call;
}

const OUTPUTS = random32();
const OTHERS = random32();
const SALT = random32();
const MOST_STEPS = 200;

/**
 * Plays one job on a real EVM whose blocks have the times of a chain of this pace: honest parties see an event once it
 * lies deep enough, take their time, and have their calls delayed, stuck and undone; hostile ones act in the last
 * second or not at all. Rejects with the contract's reason when an honest call comes too late.
 */
export class LateParties {
  readonly #market: Market;
  readonly #cast: Cast;
  readonly #play: Play;
  readonly #addresses: Addresses;
  readonly #origin: number;
  readonly #plans = new Map<string, Plan>();
  readonly #blinded = blindKey(random32(), MASK);
  /** Time of the newest block, on the chain's own grid. */
  #time: number;
  #job: Job | undefined;

  constructor(market: Market, cast: Cast, play: Play, start: number, addresses: Addresses) {
    this.#market = market;
    this.#cast = cast;
    this.#play = play;
    this.#addresses = addresses;
    this.#origin = start;
    this.#time = start;
  }

  /** The job's last state. */
  async play(): Promise<Job> {
    const { terms } = this.#play;
    const { requester } = this.#cast;
    const post: Call = { kind: "post", terms, seedTip: requesterTip, sealed: "0x" };
    await this.#include({ tries: [this.#blockFrom(this.#time)], by: requester, call: () => post });
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const job = this.#job!;
      if (isFinal(job.state)) return job;
      const [next, after] = this.#plansFor(job).sort((a, b) => a.tries.at(-1)! - b.tries.at(-1)!);
      if (next === undefined) throw new RangeError(`nobody moves a job in ${job.state}`);
      await this.#include(next, after?.tries.at(-1));
    }
    throw new RangeError("the job does not end");
  }

  #plansFor(job: Job): Plan[] {
    const { requester, provider } = this.#cast;
    const { hostility } = this.#play;
    const { deadline = 0, state } = job;
    const plans: Plan[] = [];
    /** A party's plan is made when it first sees its turn; a turn is one of a step. */
    const plan = (what: string, by: Actor, call: Plan["call"], tries: () => readonly number[]) => {
      const key = `${state} ${job.round} ${job.draws} ${job.seeded} ${what} ${by.address}`;
      const known = this.#plans.get(key) ?? { tries: tries(), by, call };
      this.#plans.set(key, known);
      plans.push(known);
    };
    const soon = () => this.#honest(this.#time);
    const afterwards = () => this.#honest(this.#firstAfter(deadline));
    const last = () => [this.#lastBefore(deadline)];
    const end = lastInstantOf(job) ?? this.#time;
    const exit = () =>
      plan(
        `exit after ${end}`,
        provider,
        (now) => ({ kind: exitOf(now, Number.POSITIVE_INFINITY)!, job: now }),
        () => [this.#firstAfter(end)],
      );
    switch (state) {
      case "Posted":
        plan("accept", provider, (now) => ({ kind: "accept", job: now }), soon);
        break;
      case "Accepted":
        plan(
          "submit",
          provider,
          (now) => this.#submit(now),
          () => this.#honest(this.#time, runsIn(job.terms.mode) * this.#play.time),
        );
        break;
      case "Submitted":
        if (job.terms.validators === 0) this.#claim(plan, soon);
        else if (hostility.appoints === "never") this.#draw(plan, afterwards);
        else
          plan(
            "appoint",
            requester,
            (now) => this.#appoint(now),
            hostility.appoints === "at once" ? soon : last,
          );
        break;
      case "Validating":
        if (job.drawing) {
          const waits = drawTurnOf(job, this.#time) === "requester";
          if (!waits) this.#draw(plan, soon);
          else if (hostility.seeds === "never") this.#draw(plan, afterwards);
          else {
            const seed = opening(job.draws);
            plan("seed", requester, (now) => ({ kind: "revealSeed", job: now, ...seed }), last);
          }
          break;
        }
        for (const seat of seatsOf(job)) this.#seat(plan, job, seat, last);
        if (!job.committing && hasRevealed(job) && !job.disclosed)
          plan(
            "disclose",
            provider,
            (now) => ({ kind: "disclose", job: now, own: this.#measured(true) }),
            soon,
          );
        exit();
        break;
      case "Validated":
        if (job.challenged) exit();
        else this.#claim(plan, soon);
        break;
      case "Claimed":
        if (hostility.challenges)
          plan(
            "challenge",
            requester,
            (now) => ({ kind: "challenge", job: now, ...opening(now.draws + 1) }),
            last,
          );
        exit();
        break;
      default:
        if (isAppealable(job)) plan("appeal", provider, (now) => ({ kind: "appeal", job: now }), soon);
        else exit();
    }
    return plans;
  }

  #seat(plan: Planner, job: Job, seat: Validation, last: () => readonly number[]): void {
    const { honest, hostile } = this.#cast;
    const { hostility, time, fetchBytes } = this.#play;
    const good = honest.find(({ address }) => sameAddress(address, seat.validator));
    const who = good ?? hostile.find(({ address }) => sameAddress(address, seat.validator))!;
    const own = this.#measured(good !== undefined);
    if (job.committing) {
      if (seat.commitment !== undefined) return;
      const commitment = measurementCommitment(job.id, who.address, own);
      const call = (now: Job): Call => ({ kind: "commit", job: now, commitment });
      const work = 2 * time + fetchSeconds(fetchBytes);
      if (good) plan("commit", who, call, () => this.#honest(this.#time, work));
      else if (hostility.votes !== "never commits") plan("commit", who, call, last);
      return;
    }
    if (seat.measurement !== undefined || seat.commitment === undefined) return;
    const providers = this.#measured(true);
    if (good)
      plan(
        "reveal",
        who,
        (now) => ({ kind: "reveal", job: now, own, providers }),
        () => this.#honest(this.#time),
      );
    else if (hostility.votes === "in the last second")
      plan("reveal", who, (now) => ({ kind: "reveal", job: now, own }), last);
  }

  #claim(plan: Planner, when: () => readonly number[]): void {
    plan(
      "claim",
      this.#cast.provider,
      (now) => ({ kind: "claim", job: now, blindedKey: this.#blinded }),
      when,
    );
  }

  #draw(plan: Planner, when: () => readonly number[]): void {
    const seeded = (now: Job): Call => ({
      kind: "draw",
      job: now,
      // The first draw of a job whose requester appointed nobody is not scheduled before.
      seed: providerSeed(now.state === "Submitted" ? now.draws + 1 : now.draws),
    });
    plan("draw", this.#cast.provider, seeded, when);
  }

  #submit(job: Job): Call {
    const measured = measurementCommitment(job.id, this.#cast.provider.address, this.#measured(true));
    return {
      ...{ kind: "submit", job, resultRoot: random32(), measurementCommitment: measured },
      ...{ keyCommitment: keyCommitment(job.id, this.#blinded), seedTip: providerTip, sealed: "0x" },
    };
  }

  #appoint(job: Job): Call {
    const { honest, hostile } = this.#cast;
    const named = (this.#play.hostility.names === "hostile" ? hostile : honest).slice(
      0,
      job.terms.validators,
    );
    return { kind: "appoint", job, validators: named.map(({ address }) => ({ address, sealed: "0x" })) };
  }

  #measured(good: boolean): Measurement {
    return { digest: good ? OUTPUTS : OTHERS, score: 950_000_000n, salt: SALT };
  }

  // ── Time

  #blockFrom(time: number): number {
    const { blockSeconds } = this.#play.pace;
    return this.#origin + Math.ceil((time - this.#origin) / blockSeconds - 1e-9) * blockSeconds;
  }

  /** The last block whose time, in whole seconds, is not past `instant`. */
  #lastBefore(instant: number): number {
    const { blockSeconds } = this.#play.pace;
    return this.#blockFrom(instant + 1) - blockSeconds;
  }

  #firstAfter(instant: number): number {
    return Math.max(this.#blockFrom(instant + 1), this.#time);
  }

  #honest(event: number, own = 0): readonly number[] {
    const { blockSeconds, confirmations } = this.#play.pace;
    const { extra, undone, stuck, workSeconds, share } = this.#play.luck();
    let time =
      event + (confirmations - 1) * blockSeconds + workSeconds + share * own + (stuck ? STUCK_SECONDS : 0);
    return Array.from({ length: undone.length + 1 }, (_, i) => {
      const block = this.#blockFrom(time) + (extra[i] ?? 0) * blockSeconds;
      time = block + (undone[i] ?? 0) * blockSeconds;
      return block;
    });
  }

  // ── Chain

  /** Includes a call in its block; before that in those that a reorganisation undoes, where nobody acts in between. */
  async #include(plan: Plan, other = Number.POSITIVE_INFINITY): Promise<void> {
    const { tries, by, call } = plan;
    for (const time of tries.slice(0, -1)) {
      if (time < this.#time || other < tries.at(-1)!) continue;
      const snapshot = await this.#market.rpc("evm_snapshot");
      await this.#send(by, call(this.#job!), time);
      await this.#market.rpc("evm_revert", snapshot);
    }
    const time = Math.max(tries.at(-1)!, this.#time);
    const found = await this.#send(by, call(this.#job!), time);
    this.#time = time;
    for (const log of found) {
      if (!sameAddress(log.address, this.#addresses.escrow)) continue;
      const raw = { block: Number(log.blockNumber), topics: log.topics, data: log.data };
      const event = decodeJobEvent(raw, this.#market.chainId, this.#addresses.escrow);
      if (event !== undefined) this.#job = fold(this.#job, event);
    }
  }

  async #send(by: Actor, call: Call, time: number): Promise<readonly Log[]> {
    const encoded = await encodeCall(call, {
      account: by.address,
      addresses: this.#addresses,
      signKeys: () => "0x",
    });
    await this.#market.rpc("evm_setNextBlockTimestamp", Math.floor(time));
    const hash = await this.#market.rpc("eth_sendTransaction", {
      ...{ from: by.address, to: encoded.to, data: encoded.data },
      ...{ value: `0x${encoded.value.toString(16)}`, gas: "0x989680" },
    });
    const receipt = (await this.#market.rpc("eth_getTransactionReceipt", hash)) as { logs: Log[] };
    return receipt.logs;
  }
}

type Planner = (what: string, by: Actor, call: Plan["call"], tries: () => readonly number[]) => void;

interface Log {
  readonly address: Address;
  readonly blockNumber: string;
  readonly topics: Hex[];
  readonly data: Hex;
}

/** Seats of the present round that were not left. */
function seatsOf(job: Job): Validation[] {
  return job.validations.filter(({ round, abstained }) => round === job.round && !abstained);
}
