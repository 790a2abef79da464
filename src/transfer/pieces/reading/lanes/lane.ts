import { randomBytes } from "node:crypto";
import type { LaneDialer } from "../../lane-dialer.ts";
import type { Tuning } from "../tuning.ts";
import { Connection } from "./connection.ts";
import { RateMeter } from "./rate-meter.ts";
import type { LaneView } from "./stall.ts";

/** One path to the host: its connections and what was measured of it. Times are milliseconds of one clock. */
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
  /** False until the request under way is near its end: only then may the next one be sent. */
  mayAsk = true;
  /** Pieces that this lane was the first to deliver. */
  delivered = 0;

  constructor(dialer: LaneDialer, tuning: Tuning) {
    this.#dialer = dialer;
    this.#slowMs = tuning.slowMs;
  }

  /** Aborts with the reason why the lane ended. */
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

  /**
   * A free connection, or a new one; call `giveBack` when the answer has been read.
   * @throws TRANSFER_UNREACHABLE
   */
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

  /**
   * Begins to connect, for the first request to find the path built, or to travel with the last step of building it.
   * @throws as `borrow`
   */
  async connect(): Promise<void> {
    this.giveBack(await this.borrow());
  }

  /** Keeps the connection for the next request if it is still usable. */
  giveBack(connection: Connection): void {
    if (connection.isFree) this.#idle.push(connection);
    else connection.destroy();
  }

  /** A request was sent. */
  asked(now: number): void {
    if (this.#underWay++ === 0) {
      this.#busySince = now;
      this.#lastByteAt = now;
    }
  }

  /** The headers came `ms` after the request was sent. */
  answered(ms: number, now: number): void {
    // The least is kept: the first answer includes building the circuit, and any may queue behind other bytes.
    this.#rttMs = Math.min(this.#rttMs ?? ms, ms);
    this.#lastByteAt = now;
  }

  received(bytes: number, now: number): void {
    this.#meter ??= new RateMeter(this.#slowMs, now);
    this.#meter.add(bytes, now);
    this.#lastByteAt = now;
  }

  /** A request has ended, in whatever way. */
  done(): void {
    this.#underWay--;
  }

  /** Bytes per second over the last `slowMs`, or since the first byte if that is later. */
  rate(now: number): number {
    return this.#meter?.rate(now) ?? 0;
  }

  /** Undefined while no request is under way. */
  view(now: number): (LaneView & { readonly lane: Lane }) | undefined {
    if (this.#underWay === 0) return undefined;
    const { busySince, lastByteAt } = { busySince: this.#busySince, lastByteAt: this.#lastByteAt };
    return { lane: this, busySince, lastByteAt, rttMs: this.#rttMs, rate: this.rate(now) };
  }
}
