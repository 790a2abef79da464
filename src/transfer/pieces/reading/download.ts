import { onAbort } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import { PIECE_BYTES } from "../../../protocol/limits.ts";
import { hostUnreachable, stalled } from "../errors.ts";
import type { PieceRequest } from "../ports.ts";
import { backOff } from "./back-off.ts";
import { Notifier } from "./bell.ts";
import { chooseRange, type RangeView } from "./choose-range.ts";
import type { Faults } from "./faults.ts";
import { fetchRange } from "./fetch-range.ts";
import { Lane } from "./lanes/lane.ts";
import { LaneCount } from "./lanes/lane-count.ts";
import { lanesFor } from "./lanes/lanes-for.ts";
import type { WarmingLane } from "./lanes/open-lanes.ts";
import { median, stalledLanes } from "./lanes/stall.ts";
import { LookUps } from "./look-ups.ts";
import type { PartFile } from "./part-file.ts";
import { PiecePlan, type PieceRange } from "./piece-plan.ts";
import type { Progress } from "./progress.ts";
import type { Tuning } from "./tuning.ts";

/** Runs of one lane that may overlap: the second is asked for a round trip before the first ends. */
const RUNS_PER_LANE = 2;
const UNKNOWN_RTT_MS = 1000;

export interface DownloadContext {
  readonly request: PieceRequest;
  readonly part: PartFile;
  readonly faults: Faults;
  readonly progress: Progress;
  readonly tuning: Tuning;
  readonly now: () => number;
  /** Lanes that are open already, or about to be: they go first. */
  readonly lanes: readonly WarmingLane[];
  /** How long the first answer took. */
  readonly waitedMs: number;
}

/** Fetches every piece that `part` lacks, over as many lanes as pay. One use. */
export class Download {
  readonly #context: DownloadContext;
  readonly #plan: PiecePlan;
  readonly #laneCount: LaneCount;
  readonly #lookUps: LookUps;
  readonly #bell = new Notifier();
  readonly #lanes = new Set<Lane>();
  readonly #active = new Map<PieceRange, { lane: Lane; bytesLeft: number }>();
  readonly #over = new AbortController();
  readonly #slots: Promise<void>[] = [];
  #failure: unknown;

  constructor(context: DownloadContext) {
    const { part, tuning, waitedMs, now } = context;
    this.#context = context;
    this.#lookUps = new LookUps(Math.max(tuning.lookUpMs, 2 * waitedMs), now());
    this.#plan = new PiecePlan(part.shape.leaves.length, part.verified);
    const worth = lanesFor(this.#plan.left * PIECE_BYTES, tuning);
    const startLanes = waitedMs > tuning.farMs ? worth : Math.min(tuning.startLanes, worth);
    this.#laneCount = new LaneCount({ ...tuning, startLanes }, now());
  }

  /** Resolves when every piece is verified and written; rejects with the fault that ended it. */
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
      while (!this.#over.signal.aborted) await this.#bell.wait();
      await Promise.all(this.#slots);
    } finally {
      clearInterval(tick);
      clearInterval(checkpoint);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #end(failure?: unknown): void {
    if (this.#over.signal.aborted) return;
    this.#failure = failure;
    this.#over.abort();
    for (const lane of this.#lanes) lane.end();
    this.#bell.ring();
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
    for (const { lane } of stalledLanes(views, at, tuning)) this.#blame(lane, stalled());
    if (this.#lookUps.due(at, progress.received)) void this.#lookUp();
    this.#openSlots();
    progress.tell(
      at,
      [...this.#lanes].map((lane) => lane.rate(at)),
    );
    this.#bell.ring();
  }

  /** Finds the host again if it has moved; lanes that were connecting to where it was begin again. */
  async #lookUp(): Promise<void> {
    const { dialer } = this.#context.request;
    if (!dialer.refresh) return;
    const connecting = [...this.#lanes].filter((lane) => lane.rttMs === undefined);
    try {
      await dialer.refresh({ signal: this.#over.signal });
    } catch (error) {
      this.#context.faults.record(error, -1);
    }
    for (const lane of connecting) if (lane.rttMs === undefined) this.#blame(lane, hostUnreachable());
  }

  #openSlots(): void {
    const wanted = Math.min(this.#laneCount.target, this.#plan.left);
    while (this.#slots.length < wanted) this.#slots.push(this.#slot(this.#slots.length));
  }

  /** One lane after the other, each on a new circuit, for as long as this many lanes are wanted. */
  async #slot(index: number): Promise<void> {
    const { request, tuning, lanes } = this.#context;
    let warming = lanes[index];
    let failures = 0;
    while (!this.#over.signal.aborted) {
      const lane = warming?.lane ?? new Lane(request.dialer, tuning);
      this.#lanes.add(lane);
      // If it fails its signal says so, and nobody works on it.
      await warming?.ready.catch(() => {});
      warming = undefined;
      await Promise.all(Array.from({ length: RUNS_PER_LANE }, () => this.#work(index, lane)));
      const failed = lane.signal.aborted;
      this.#lanes.delete(lane);
      lane.end();
      if (failed) {
        failures = lane.brought > 0 ? 1 : failures + 1;
        await backOff(failures, tuning, this.#over.signal).catch(() => {});
      }
      while (!this.#over.signal.aborted && !this.#isWanted(index)) await this.#bell.wait();
    }
  }

  #isWanted(index: number): boolean {
    return index < this.#laneCount.target;
  }

  /** Fetches run after run until the lane ends, by a fault or because it is not wanted any more. */
  async #work(index: number, lane: Lane): Promise<void> {
    const { request, part, tuning, faults, progress, now } = this.#context;
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    for (;;) {
      const run = await this.#nextRun(index, lane);
      if (!run) return;
      lane.mayAsk = false;
      let passed = false;
      const passOn = () => {
        if (passed) return;
        passed = lane.mayAsk = true;
        this.#bell.ring();
      };
      const state = { lane, bytesLeft: (run.end - run.start) * PIECE_BYTES };
      this.#active.set(run, state);
      const onBytes = (bytes: number, left: number, filled: number) => {
        progress.received += bytes;
        progress.reached(run.next, filled);
        state.bytesLeft = left;
        if (left <= (lane.rate(now()) * (lane.rttMs ?? 0)) / 1000) passOn();
      };
      const onVerified = (piece: number, bytes: number) => {
        progress.verified += bytes;
        progress.reached(piece, bytes);
        faults.forgive(piece);
        if (this.#plan.left === 0) this.#end();
      };
      const headMs = lane.rttMs === undefined ? tuning.connectMs : Math.max(tuning.stallMs, 4 * lane.rttMs);
      const context = { request, part, plan: this.#plan, lane, buffer, headMs, now, onBytes, onVerified };
      try {
        await fetchRange(context, run);
      } catch (error) {
        if (!run.cancel.signal.aborted) this.#blame(lane, error, run);
      } finally {
        this.#plan.release(run);
        this.#active.delete(run);
        passOn();
      }
    }
  }

  async #nextRun(index: number, lane: Lane): Promise<PieceRange | undefined> {
    const { tuning, now } = this.#context;
    for (;;) {
      if (lane.signal.aborted || !this.#isWanted(index)) return undefined;
      if (lane.mayAsk) {
        const at = now();
        const others = [...this.#active]
          .filter(([, state]) => state.lane !== lane)
          .map(([run, state]): RangeView => ({ run, bytesLeft: state.bytesLeft, rate: state.lane.rate(at) }));
        const rate = lane.rate(at) || median([...this.#lanes].map((other) => other.rate(at)));
        const asker = { rate, rttMs: lane.rttMs ?? UNKNOWN_RTT_MS, lanes: this.#laneCount.target };
        const run = chooseRange(this.#plan, asker, others, tuning);
        if (run) return run;
      }
      await this.#bell.wait();
    }
  }

  /** Ends the lane over `error`, and the whole download when no further try can help. */
  #blame(lane: Lane, error: unknown, run?: PieceRange): void {
    // Both runs of a lane fail together; only the first failure says why.
    if (lane.signal.aborted) return;
    const final = this.#context.faults.record(error, run?.next ?? -1);
    if (run && isIchainError(error, "TRANSFER_BAD_ANSWER")) this.#plan.split(run);
    if (final) this.#end(final);
    else lane.end(error);
  }
}
