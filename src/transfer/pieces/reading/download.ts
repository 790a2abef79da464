import { onAbort } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import { PIECE_BYTES } from "../../../protocol/limits.ts";
import { hostUnreachable, stalled } from "../errors.ts";
import type { PieceRequest } from "../ports.ts";
import { chooseRange, type RangeView } from "./choose-range.ts";
import type { Faults } from "./faults.ts";
import { fetchRange } from "./fetch-range.ts";
import { Lane } from "./lanes/lane.ts";
import { LaneCount, lanesFor } from "./lanes/lane-count.ts";
import type { WarmingLane } from "./lanes/open-lanes.ts";
import { median, stalledLanes } from "./lanes/stall.ts";
import type { PartFile } from "./part-file.ts";
import { PiecePlan, type PieceRange } from "./piece-plan.ts";
import type { Progress } from "./progress.ts";
import type { Tuning } from "./tuning.ts";
import { backOff, LookUps, Notifier } from "./waiting.ts";

/** Ranges of one lane that may overlap: the second is requested one round trip before the first ends. */
const RANGES_PER_LANE = 2;
/** Round trip assumed of a lane that has not answered yet; milliseconds. */
const UNKNOWN_RTT_MS = 1000;

export interface DownloadContext {
  readonly request: PieceRequest;
  readonly part: PartFile;
  readonly faults: Faults;
  readonly progress: Progress;
  readonly tuning: Tuning;
  readonly now: () => number;
  /** Lanes that are open or connecting: they are used first. */
  readonly lanes: readonly WarmingLane[];
  /** Milliseconds until the first answer. */
  readonly waitedMs: number;
}

/** Fetches every piece that `part` lacks, over as many lanes as pay. An object is used once. */
export class Download {
  readonly #context: DownloadContext;
  readonly #plan: PiecePlan;
  readonly #laneCount: LaneCount;
  readonly #isFar: boolean;
  readonly #lookUps: LookUps;
  /** Notified when a lane may have something new to do. */
  readonly #changed = new Notifier();
  readonly #lanes = new Set<Lane>();
  readonly #active = new Map<PieceRange, { lane: Lane; bytesLeft: number }>();
  readonly #ended = new AbortController();
  readonly #slots: Promise<void>[] = [];
  #failure: unknown;

  constructor(context: DownloadContext) {
    const { part, tuning, waitedMs, now } = context;
    this.#context = context;
    this.#lookUps = new LookUps(Math.max(tuning.lookUpMs, 2 * waitedMs), now());
    this.#plan = new PiecePlan(part.shape.leaves.length, part.verified);
    this.#isFar = waitedMs > tuning.farMs;
    const maxLanes = lanesFor(this.#plan.left * PIECE_BYTES, this.#isFar, tuning);
    const startLanes = this.#isFar ? maxLanes : Math.min(tuning.startLanes, maxLanes);
    this.#laneCount = new LaneCount({ ...tuning, startLanes, maxLanes }, now());
  }

  /**
   * Resolves when every piece is verified and written.
   * @throws the fault that ended the download (`Faults`), the file system's error, or the signal's reason
   */
  async run(signal: AbortSignal): Promise<void> {
    const { tuning, part } = this.#context;
    using _ = onAbort(signal, (reason) => this.#end(reason));
    const tick = setInterval(() => this.#tick(), tuning.tickMs);
    const checkpoint = setInterval(
      () => part.flush().catch((error) => this.#end(error)),
      tuning.checkpointMs,
    );
    try {
      if (this.#plan.left === 0) this.#end();
      this.#openSlots();
      while (!this.#ended.signal.aborted) await this.#changed.wait();
      await Promise.all(this.#slots);
    } finally {
      clearInterval(tick);
      clearInterval(checkpoint);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #end(failure?: unknown): void {
    if (this.#ended.signal.aborted) return;
    this.#failure = failure;
    this.#ended.abort();
    for (const lane of this.#lanes) lane.end();
    this.#changed.notify();
  }

  #tick(): void {
    const { faults, progress, tuning, now } = this.#context;
    const at = now();
    const overdue = faults.overdue(at, progress.fresh, this.#plan.firstLeft);
    if (overdue) {
      this.#end(overdue);
      return;
    }
    this.#laneCount.observe(at, progress.received, progress.secondsLeft(at) ?? Infinity);
    const views = [...this.#lanes].map((lane) => lane.view(at)).filter((view) => view !== undefined);
    for (const { lane } of stalledLanes(views, at, tuning)) this.#fail(lane, stalled());
    if (this.#lookUps.due(at, progress.received)) void this.#lookUp();
    this.#openSlots();
    progress.report(
      at,
      [...this.#lanes].map((lane) => lane.rate(at)),
    );
    this.#changed.notify();
  }

  /** Looks the host up again; lanes that were connecting to where it was are replaced. */
  async #lookUp(): Promise<void> {
    const { dialer } = this.#context.request;
    if (!dialer.refresh) return;
    const connecting = [...this.#lanes].filter((lane) => lane.rttMs === undefined);
    try {
      await dialer.refresh({ signal: this.#ended.signal });
    } catch (error) {
      this.#context.faults.record(error, -1);
    }
    for (const lane of connecting) if (lane.rttMs === undefined) this.#fail(lane, hostUnreachable());
  }

  #openSlots(): void {
    const wanted = Math.min(this.#laneCount.target, this.#plan.left);
    while (this.#slots.length < wanted) this.#slots.push(this.#slot(this.#slots.length));
  }

  /** Runs one lane after the other, each on a new circuit, while the target includes slot `index`. */
  async #slot(index: number): Promise<void> {
    const { request, tuning, lanes } = this.#context;
    let warming = lanes[index];
    let failures = 0;
    while (!this.#ended.signal.aborted) {
      const lane = warming?.lane ?? new Lane(request.dialer, tuning);
      this.#lanes.add(lane);
      // A failure aborts the lane's signal, and then no range is requested.
      await warming?.ready.catch(() => {});
      warming = undefined;
      await Promise.all(Array.from({ length: RANGES_PER_LANE }, () => this.#work(index, lane)));
      const failed = lane.signal.aborted;
      this.#lanes.delete(lane);
      lane.end();
      if (failed) {
        failures = lane.delivered > 0 ? 1 : failures + 1;
        await backOff(failures, tuning, this.#ended.signal).catch(() => {});
      }
      while (!this.#ended.signal.aborted && !this.#isWanted(index)) await this.#changed.wait();
    }
  }

  #isWanted(index: number): boolean {
    return index < this.#laneCount.target;
  }

  /** Fetches one range after the other until the lane fails or its slot is no longer wanted. */
  async #work(index: number, lane: Lane): Promise<void> {
    const { request, part, tuning, faults, progress, now } = this.#context;
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    for (;;) {
      const range = await this.#nextRange(index, lane);
      if (!range) return;
      lane.mayAsk = false;
      let released = false;
      const letNextAsk = () => {
        if (released) return;
        released = lane.mayAsk = true;
        this.#changed.notify();
      };
      const state = { lane, bytesLeft: (range.end - range.start) * PIECE_BYTES };
      this.#active.set(range, state);
      const onBytes = (bytes: number, left: number, filled: number) => {
        progress.received += bytes;
        progress.reached(range.next, filled);
        state.bytesLeft = left;
        if (left <= (lane.rate(now()) * (lane.rttMs ?? 0)) / 1000) letNextAsk();
      };
      const onVerified = (piece: number, bytes: number) => {
        progress.verified += bytes;
        progress.reached(piece, bytes);
        faults.clear(piece);
        if (this.#plan.left === 0) this.#end();
      };
      const headMs = lane.rttMs === undefined ? tuning.connectMs : Math.max(tuning.stallMs, 4 * lane.rttMs);
      const context = { request, part, plan: this.#plan, lane, buffer, headMs, now, onBytes, onVerified };
      try {
        await fetchRange(context, range);
      } catch (error) {
        if (!range.cancel.signal.aborted) this.#fail(lane, error, range);
      } finally {
        this.#plan.release(range);
        this.#active.delete(range);
        letNextAsk();
      }
    }
  }

  async #nextRange(index: number, lane: Lane): Promise<PieceRange | undefined> {
    const { tuning, now } = this.#context;
    for (;;) {
      if (lane.signal.aborted || !this.#isWanted(index)) return undefined;
      if (lane.mayAsk) {
        const at = now();
        const others = [...this.#active]
          .filter(([, state]) => state.lane !== lane)
          .map(([range, { bytesLeft, lane }]): RangeView => ({ range, bytesLeft, rate: lane.rate(at) }));
        const rate = lane.rate(at) || median([...this.#lanes].map((other) => other.rate(at)));
        const lanes = this.#laneCount.target;
        const isFresh = this.#isFar && lane.delivered === 0;
        const idle = { rate, rttMs: lane.rttMs ?? UNKNOWN_RTT_MS, lanes, isFresh };
        const range = chooseRange(this.#plan, idle, others, tuning);
        if (range) return range;
      }
      await this.#changed.wait();
    }
  }

  /** Ends the lane with `error`, and the whole download when no further try can help. */
  #fail(lane: Lane, error: unknown, range?: PieceRange): void {
    // Both ranges of a lane fail together; only the first failure has the reason.
    if (lane.signal.aborted) return;
    const final = this.#context.faults.record(error, range?.next ?? -1);
    if (range && isIchainError(error, "TRANSFER_BAD_ANSWER")) this.#plan.split(range);
    if (final) this.#end(final);
    else lane.end(error);
  }
}
