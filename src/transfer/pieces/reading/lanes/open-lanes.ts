import { onAbort } from "../../../../async/abort.ts";
import { PIECE_BYTES } from "../../../../protocol/limits.ts";
import { leafHash } from "../../../merkle.ts";
import { corruptPiece, stalled } from "../../errors.ts";
import type { PieceRequest } from "../../ports.ts";
import { INLINE_MAX_BYTES } from "../../wire.ts";
import type { Faults } from "../faults.ts";
import { fetchLeafList, type LeafList } from "../leaf-list.ts";
import type { Tuning } from "../tuning.ts";
import { backOff } from "../waiting.ts";
import { Lane } from "./lane.ts";
import { lanesFor } from "./lane-count.ts";
import { stalledLanes } from "./stall.ts";

export interface OpenLanesOptions {
  readonly signal: AbortSignal;
  readonly tuning: Tuning;
  readonly faults: Faults;
  readonly now: () => number;
}

/** Stands for the leaf list where faults are counted by piece. */
const LEAF_LIST = -1;
/** Longest delay of a timer, 24 days; milliseconds. */
const LONGEST_MS = 2 ** 31 - 1;

/** A lane that connects; `ready` settles with the answer of one that has asked for the leaf list. */
export interface WarmingLane {
  readonly lane: Lane;
  readonly ready: Promise<unknown>;
}

export interface OpenedLanes {
  readonly list: LeafList;
  /** At least one has answered; others may still be connecting. The caller ends them. */
  readonly lanes: readonly WarmingLane[];
  /** Milliseconds from the beginning of the fetch to the first answer. */
  readonly waitedMs: number;
}

/**
 * Asks for the leaf list until `faults` allows no further try. When the first lane has no answer after `hedgeMs`, more
 * lanes send the same request: the answer then does not depend on one circuit, and the download needs those circuits
 * anyway. After `farMs` as many lanes as the size justifies connect and ask nothing yet: those that are still on their
 * way when the list comes can ask for data at once. A blob that came with its leaf list is verified.
 * @throws as `fetchLeafList`; TRANSFER_UNREACHABLE, TRANSFER_STALLED, TRANSFER_CORRUPT_PIECE; the signal's reason
 */
export async function openLanes(request: PieceRequest, options: OpenLanesOptions): Promise<OpenedLanes> {
  const { signal, tuning, faults, now } = options;
  for (let tries = 1; ; tries++) {
    const lanes: WarmingLane[] = [];
    const foundMs = tries === 1 ? (request.foundMs ?? 0) : 0;
    const askedAt = now() - foundMs;
    try {
      const list = await firstList(request, options, lanes, foundMs);
      if (list) return { list, lanes, waitedMs: now() - askedAt };
      for (const { lane } of lanes) lane.end();
      const overdue = faults.overdue(now(), 0);
      if (overdue) throw overdue;
    } catch (error) {
      for (const { lane } of lanes) lane.end(error);
      throw error;
    }
    await backOff(tries, tuning, signal);
  }
}

/** The first good answer, or undefined when every lane failed; rejects when no further try can help. */
async function firstList(
  request: PieceRequest,
  options: OpenLanesOptions,
  lanes: WarmingLane[],
  foundMs: number,
): Promise<LeafList | undefined> {
  const { signal, tuning, faults } = options;
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<LeafList | undefined>();
  let [asking, failed] = [0, 0];
  const ask = (inline: number) => {
    const lane = new Lane(request.dialer, tuning);
    const ready = askForList(request, lane, inline, options);
    lanes.push({ lane, ready });
    asking++;
    ready.then(resolve, (error) => {
      lane.end(error);
      const final = faults.record(error, LEAF_LIST);
      if (final) reject(final);
      else if (++failed === asking) resolve(undefined);
    });
  };
  const connect = () => {
    const lane = new Lane(request.dialer, tuning);
    lanes.push({ lane, ready: Promise.resolve() });
    lane.connect().catch((error) => lane.end(error));
  };
  ask(Math.min(request.maxBytes, INLINE_MAX_BYTES));
  const hedge = () => {
    while (asking < tuning.hedgeLanes) ask(0);
  };
  const connectAll = () => {
    hedge();
    const worth = lanesFor(request.size ?? 0, true, tuning);
    while (lanes.length < worth) connect();
  };
  // A blob that surely comes with its leaf list needs no further lane.
  const timers: NodeJS.Timeout[] = [];
  if (request.maxBytes > INLINE_MAX_BYTES) {
    timers.push(setTimeout(hedge, tuning.hedgeMs));
    timers.push(setTimeout(connectAll, Math.max(0, tuning.farMs - foundMs)));
  }
  using _ = onAbort(signal, reject);
  try {
    return await promise;
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

async function askForList(
  request: PieceRequest,
  lane: Lane,
  inline: number,
  { tuning, now }: OpenLanesOptions,
): Promise<LeafList> {
  const watch = setInterval(() => {
    const view = lane.view(now());
    if (view && stalledLanes([view], now(), tuning).length > 0) lane.end(stalled());
  }, tuning.tickMs);
  let late: NodeJS.Timeout | undefined;
  const askedAt = now();
  lane.asked(askedAt);
  try {
    const list = await fetchLeafList(request, lane, inline, {
      signal: lane.signal,
      headMs: tuning.connectMs,
      onAnswer: (wanted) => {
        lane.answered(now() - askedAt, now());
        // A byte now and then prevents a stall; the list still gets no more time than as many bytes of the blob.
        const most = tuning.giveUpMs * Math.ceil(wanted / tuning.giveUpBytes);
        late = setTimeout(() => lane.end(stalled()), Math.min(most, LONGEST_MS));
      },
      onBytes: (bytes) => lane.received(bytes, now()),
    });
    const wrong = list.inlined && firstWrongPiece(list.inlined, list.shape.leaves);
    if (wrong !== undefined) throw corruptPiece(wrong);
    return list;
  } finally {
    lane.done();
    clearInterval(watch);
    clearTimeout(late);
  }
}

function firstWrongPiece(content: Buffer, leaves: readonly Buffer[]): number | undefined {
  const wrong = leaves.findIndex(
    (leaf, i) => !leaf.equals(leafHash(content.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES))),
  );
  return wrong < 0 ? undefined : wrong;
}
