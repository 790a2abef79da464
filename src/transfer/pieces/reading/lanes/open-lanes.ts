import { onAbort } from "../../../../async/abort.ts";
import { PIECE_BYTES } from "../../../../protocol/limits.ts";
import { leafHash } from "../../../merkle.ts";
import { corruptPiece, stalled } from "../../errors.ts";
import type { PieceRequest } from "../../ports.ts";
import { INLINE_MAX_BYTES } from "../../wire.ts";
import { backOff } from "../back-off.ts";
import type { Faults } from "../faults.ts";
import { fetchLeafList, type LeafList } from "../leaf-list.ts";
import type { Tuning } from "../tuning.ts";
import { Lane } from "./lane.ts";
import { lanesFor } from "./lanes-for.ts";
import { stalledLanes } from "./stall.ts";

export interface Asking {
  readonly signal: AbortSignal;
  readonly tuning: Tuning;
  readonly faults: Faults;
  readonly now: () => number;
}

/** Not a piece: the leaf list, in counts of what went wrong. */
const LEAF_LIST = -1;
/** What a timer can count; 24 days. */
const LONGEST_MS = 2 ** 31 - 1;

/** A lane that has asked for the leaf list; `ready` settles with its answer. */
export interface WarmingLane {
  readonly lane: Lane;
  readonly ready: Promise<LeafList>;
}

export interface Opened {
  readonly list: LeafList;
  /** The first has answered or failed; others may still be on their way. The caller ends them. */
  readonly lanes: readonly WarmingLane[];
  /** From the first question to the first answer. */
  readonly waitedMs: number;
}

/**
 * Asks for the leaf list until the faults allow no more. When the first lane has no answer soon, more
 * lanes ask for the same: the answer no longer hangs on one circuit, and those circuits will be needed.
 * A blob that came along is verified.
 */
export async function openLanes(request: PieceRequest, asking: Asking): Promise<Opened> {
  const { signal, tuning, faults, now } = asking;
  for (let tries = 1; ; tries++) {
    const lanes: WarmingLane[] = [];
    const askedAt = now();
    try {
      const list = await firstList(request, asking, lanes);
      if (list) return { list, lanes, waitedMs: now() - askedAt };
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
  asking: Asking,
  lanes: WarmingLane[],
): Promise<LeafList | undefined> {
  const { signal, tuning, faults } = asking;
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<LeafList | undefined>();
  let failed = 0;
  const open = (inline: number) => {
    const lane = new Lane(request.dialer, tuning);
    const ready = ask(request, lane, inline, asking);
    lanes.push({ lane, ready });
    ready.then(resolve, (error) => {
      lane.end(error);
      const final = faults.record(error, LEAF_LIST);
      if (final) reject(final);
      else if (++failed === lanes.length) resolve(undefined);
    });
  };
  const inline = Math.min(request.maxBytes, INLINE_MAX_BYTES);
  open(inline);
  const openUpTo = (count: number) => {
    while (lanes.length < count) open(0);
  };
  // What surely comes along with its leaf list needs no further lane.
  const timers: NodeJS.Timeout[] = [];
  if (request.maxBytes > INLINE_MAX_BYTES) {
    timers.push(setTimeout(() => openUpTo(tuning.knockLanes), tuning.knockMs));
    const worth = Math.max(tuning.knockLanes, lanesFor(request.size ?? 0, tuning));
    timers.push(setTimeout(() => openUpTo(worth), tuning.farMs));
  }
  using _ = onAbort(signal, reject);
  try {
    return await promise;
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

async function ask(
  request: PieceRequest,
  lane: Lane,
  inline: number,
  { tuning, now }: Asking,
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
        // A byte now and then is no stall, but no list must take longer than the blob may.
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
