import { randomBytes } from "node:crypto";
import type { LaneDialer } from "../../ports.ts";
import type { Tuning } from "../tuning.ts";
import { Connection } from "./connection.ts";
import { RateMeter } from "./rate-meter.ts";
import type { LaneView } from "./stall.ts";

/** One path to the host: its connections, and what has been seen of it. */
export class Lane {
  readonly #dialer: LaneDialer;
  readonly #name = randomBytes(8).toString("hex");
  readonly #connections = new Set<Connection>();
  readonly #idle: Connection[] = [];
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
    this.#dialer = dialer;
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
    for (const connection of this.#connections) connection.destroy(reason);
  }

  /** For the `Host` header. */
  get host(): string {
    return this.#dialer.host;
  }

  /** A connection that is free, or a new one; `giveBack` when the answer has been read. */
  async borrow(): Promise<Connection> {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      if (idle.isFree) return idle;
      this.#connections.delete(idle);
    }
    const connection = await Connection.open(this.#dialer, this.#name);
    if (this.signal.aborted) connection.destroy(this.signal.reason);
    this.#connections.add(connection);
    return connection;
  }

  /** Keeps it for the next request if it can bear one. */
  giveBack(connection: Connection): void {
    if (connection.isFree) this.#idle.push(connection);
    else connection.destroy();
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
