import { randomBytes } from "node:crypto";
import type { Agent } from "node:http";
import type { LaneDialer } from "../ports.ts";
import { RateMeter } from "./rate-meter.ts";
import type { LaneView } from "./stall.ts";
import type { Tuning } from "./tuning.ts";

/** One path to the host: its agent, and what has been seen of it. */
export class Lane {
  readonly agent: Agent;
  readonly #abort = new AbortController();
  readonly #slowMs: number;
  #meter: RateMeter | undefined;
  #rttMs: number | undefined;
  #underWay = 0;
  #busySince = 0;
  #lastByteAt = 0;
  /** False while a request of this lane is not near its end: the next one waits for its turn. */
  mayAsk = true;
  /** Pieces that this lane has brought. */
  brought = 0;

  constructor(dialer: LaneDialer, tuning: Tuning) {
    this.agent = dialer.agent(randomBytes(8).toString("hex"));
    this.#slowMs = tuning.slowMs;
  }

  /** Aborted with the reason why this lane ends. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  end(reason?: unknown): void {
    this.#abort.abort(reason);
    this.agent.destroy();
  }

  asked(now: number): void {
    if (this.#underWay++ === 0) {
      this.#busySince = now;
      this.#lastByteAt = now;
    }
  }

  /** The headers came `ms` after the request went out. */
  answered(ms: number, now: number): void {
    // The first answer includes the building of the circuit, and any may queue behind other bytes.
    this.#rttMs = Math.min(this.#rttMs ?? ms, ms);
    this.#lastByteAt = now;
  }

  received(bytes: number, now: number): void {
    this.#meter ??= new RateMeter(this.#slowMs, now);
    this.#meter.add(bytes, now);
    this.#lastByteAt = now;
  }

  done(): void {
    this.#underWay--;
  }

  /** Bytes per second since the first byte, over the window in which slow lanes are judged. */
  rate(now: number): number {
    return this.#meter?.rate(now) ?? 0;
  }

  /** Undefined while nothing is asked for. */
  view(now: number): (LaneView & { readonly lane: Lane }) | undefined {
    if (this.#underWay === 0) return undefined;
    const { busySince, lastByteAt } = { busySince: this.#busySince, lastByteAt: this.#lastByteAt };
    return { lane: this, busySince, lastByteAt, rttMs: this.#rttMs, rate: this.rate(now) };
  }
}
