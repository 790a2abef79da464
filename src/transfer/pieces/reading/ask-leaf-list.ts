import { PIECE_BYTES } from "../../../protocol/merkle.ts";
import { leafHash } from "../../merkle.ts";
import { corruptPiece, stalled } from "../errors.ts";
import type { PieceRequest } from "../ports.ts";
import { backOff } from "./back-off.ts";
import type { Faults } from "./faults.ts";
import { Lane } from "./lane.ts";
import { fetchLeafList, type LeafList } from "./leaf-list.ts";
import { stalledLanes } from "./stall.ts";
import type { Tuning } from "./tuning.ts";

export interface Asking {
  readonly signal: AbortSignal;
  readonly tuning: Tuning;
  readonly faults: Faults;
  readonly now: () => number;
}

/** Not a piece: the leaf list, in counts of what went wrong. */
const LEAF_LIST = -1;

/**
 * Gets the leaf list, over a new lane for each try, until the faults allow no more. A blob that came
 * along is verified. The lane is handed on warm; the caller ends it.
 */
export async function askLeafList(request: PieceRequest, asking: Asking): Promise<LeafList & { lane: Lane }> {
  const { signal, tuning, faults, now } = asking;
  for (let tries = 1; ; tries++) {
    const lane = new Lane(request.dialer, tuning);
    const interrupt = () => lane.end(signal.reason);
    signal.addEventListener("abort", interrupt, { once: true });
    try {
      signal.throwIfAborted();
      return { ...(await ask(request, lane, asking)), lane };
    } catch (error) {
      lane.end(error);
      signal.throwIfAborted();
      const final = faults.record(error, LEAF_LIST) ?? faults.overdue(now(), 0);
      if (final) throw final;
    } finally {
      signal.removeEventListener("abort", interrupt);
    }
    await backOff(tries, tuning, signal);
  }
}

async function ask(request: PieceRequest, lane: Lane, { tuning, now }: Asking): Promise<LeafList> {
  const watch = setInterval(() => {
    const view = lane.view(now());
    if (view && stalledLanes([view], now(), tuning).length > 0) lane.end(stalled());
  }, tuning.tickMs);
  const askedAt = now();
  lane.asked(askedAt);
  try {
    const list = await fetchLeafList(request, lane.agent, {
      signal: lane.signal,
      headMs: tuning.connectMs,
      onAnswer: () => lane.answered(now() - askedAt, now()),
      onBytes: (bytes) => lane.received(bytes, now()),
    });
    const wrong = list.inlined && firstWrongPiece(list.inlined, list.shape.leaves);
    if (wrong !== undefined) throw corruptPiece(wrong);
    return list;
  } finally {
    lane.done();
    clearInterval(watch);
  }
}

function firstWrongPiece(content: Buffer, leaves: readonly Buffer[]): number | undefined {
  const wrong = leaves.findIndex(
    (leaf, i) => !leaf.equals(leafHash(content.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES))),
  );
  return wrong < 0 ? undefined : wrong;
}
