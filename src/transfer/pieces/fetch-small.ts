import { onAbort } from "../../async/abort.ts";
import { isIchainError } from "../../errors/error.ts";
import type { TransferOptions } from "../../ports/transport.ts";
import { FEED_PART_BYTES } from "../../protocol/limits.ts";
import type { Endpoint } from "../../protocol/parcel/locator.ts";
import { badAnswer, stalled } from "./errors.ts";
import type { LaneDialer } from "./lane-dialer.ts";
import type { CapsuleRequest, NoticeRequest, PartRequest, ProbeRequest } from "./ports.ts";
import { Lane } from "./reading/lanes/lane.ts";
import { type RangeAnswer, requestRange } from "./reading/request-range.ts";
import { defaultTuning, type Tuning } from "./reading/tuning.ts";
import {
  type ByteRange,
  CAPSULE_MAX_BYTES,
  capsulePath,
  dataPath,
  noticePath,
  PROBE_RANGE,
  partPath,
} from "./wire.ts";

/** One request on a lane of its own; it and its answer fit in memory. */
interface SmallRequest {
  readonly dialer: LaneDialer;
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly range?: ByteRange;
  readonly body?: Uint8Array;
  /** Longest body, bytes. */
  readonly maxBytes: number;
}

/**
 * The capsule of that reader, at most 1 KiB, or undefined while the host has not published it.
 * @throws TRANSFER_UNREACHABLE, TRANSFER_STALLED, TRANSFER_FORBIDDEN, TRANSFER_BAD_ANSWER; the signal's reason
 */
export async function fetchCapsule(
  request: CapsuleRequest,
  options: TransferOptions = {},
  thresholds: Partial<Tuning> = {},
): Promise<Uint8Array | undefined> {
  const path = capsulePath(request.root, request.fingerprint);
  return undefinedIfAbsent(
    fetchSmall({ ...request, path, maxBytes: CAPSULE_MAX_BYTES }, options, thresholds),
  );
}

/**
 * A part of a feed, at most `FEED_PART_BYTES`, or undefined while there is none.
 * @throws as `fetchCapsule`
 */
export async function fetchPart(
  request: PartRequest,
  options: TransferOptions = {},
): Promise<Uint8Array | undefined> {
  const path = partPath(request.id, request.from);
  return undefinedIfAbsent(fetchSmall({ ...request, path, maxBytes: FEED_PART_BYTES }, options, {}));
}

async function undefinedIfAbsent(answer: Promise<Buffer>): Promise<Uint8Array | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isIchainError(error, "TRANSFER_NOT_HOSTED")) return undefined;
    throw error;
  }
}

/**
 * Proves that a blob is hosted by fetching its first byte.
 * @throws as `fetchCapsule`, and TRANSFER_NOT_HOSTED
 */
export async function fetchFirstByte(
  request: ProbeRequest,
  options: TransferOptions = {},
  thresholds: Partial<Tuning> = {},
): Promise<void> {
  const path = dataPath(request.root);
  await fetchSmall({ ...request, path, range: PROBE_RANGE, maxBytes: 1 }, options, thresholds);
}

/**
 * Leaves a notice with the host of `root`.
 * @throws as `fetchFirstByte`
 */
export async function sendNotice(request: NoticeRequest, options: TransferOptions = {}): Promise<void> {
  const path = noticePath(request.root);
  await fetchSmall({ ...request, path, body: request.notice, maxBytes: 0 }, options, {});
}

async function fetchSmall(
  request: SmallRequest,
  { signal }: TransferOptions,
  thresholds: Partial<Tuning>,
): Promise<Buffer> {
  signal?.throwIfAborted();
  const tuning = { ...defaultTuning, ...thresholds };
  const lane = new Lane(request.dialer, tuning);
  using _ = onAbort(signal, (reason) => lane.end(reason));
  let timer: NodeJS.Timeout | undefined;
  try {
    const answer = await requestRange({ ...request, lane, signal: lane.signal, headMs: tuning.connectMs });
    if (answer.length > request.maxBytes) throw badAnswer("its body is longer than allowed");
    timer = setTimeout(() => lane.end(stalled()), tuning.stallMs);
    return await readWhole(answer, lane.signal);
  } finally {
    clearTimeout(timer);
    lane.end();
  }
}

async function readWhole(answer: RangeAnswer, signal: AbortSignal): Promise<Buffer> {
  const content = Buffer.alloc(answer.length);
  let have = 0;
  try {
    await answer.read((chunk) => {
      have += chunk.copy(content, have);
      return undefined;
    });
  } catch (error) {
    signal.throwIfAborted();
    throw stalled(error);
  }
  return content;
}
