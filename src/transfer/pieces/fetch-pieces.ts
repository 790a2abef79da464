import { rename, rm, stat, writeFile } from "node:fs/promises";
import type { Abortable } from "../../async/abort.ts";
import { isIchainError } from "../../errors/error.ts";
import type { Blob, FetchProgress, TransferOptions } from "../../ports/transport.ts";
import { merkleRoot } from "../merkle.ts";
import { diskFailed, isSystemError } from "./errors.ts";
import { hashPieces } from "./hash-pieces.ts";
import type { PieceRequest } from "./ports.ts";
import { Download } from "./reading/download.ts";
import { Faults } from "./reading/faults.ts";
import { openLanes } from "./reading/lanes/open-lanes.ts";
import { PartFile } from "./reading/part-file.ts";
import { Progress } from "./reading/progress.ts";
import { defaultTuning, type Tuning } from "./reading/tuning.ts";
import { sameRoot, splitLeaves } from "./wire.ts";

/**
 * Fetches a blob over many lanes and resolves once every piece is verified and the whole file is at `path`. Continues
 * what an earlier call left in `<path>.part` and `<path>.state`; an abort leaves both. One call at a time for a path.
 * @throws TRANSFER_UNREACHABLE, TRANSFER_STALLED, TRANSFER_FORBIDDEN, TRANSFER_NOT_HOSTED, TRANSFER_TOO_LARGE,
 *   TRANSFER_WRONG_LEAVES, TRANSFER_BAD_ANSWER, TRANSFER_CORRUPT_PIECE, TRANSFER_TRUNCATED_PIECE,
 *   TRANSFER_DISK_FAILED; the signal's reason
 * @example
 * const dialer = directDialer(endpoint.address, reachOf("10.0.0.7", undefined));
 * const blob = await fetchPieces({ dialer, endpoint, root, path: "/tmp/blob", maxBytes: 2 ** 30 }, { signal });
 */
export async function fetchPieces(
  request: PieceRequest,
  options: TransferOptions = {},
  thresholds: Partial<Tuning> = {},
): Promise<Blob> {
  const signal = options.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  const tuning = { ...tuningFor(request.quietMs), ...thresholds };
  const whole = await alreadyWhole(request, signal);
  if (whole) return whole;
  try {
    return await fetchParts(request, { ...options, signal }, tuning);
  } catch (error) {
    if (signal.aborted || isIchainError(error) || !isSystemError(error)) throw error;
    throw diskFailed(request.path, error);
  }
}

async function fetchParts(
  request: PieceRequest,
  { signal, onProgress }: TransferOptions & Abortable,
  tuning: Tuning,
): Promise<Blob> {
  const now = () => performance.now();
  const { path, root } = request;
  const faults = new Faults(tuning, now());
  // Fetched on a resume too: a false size from an earlier host must not persist.
  const { list, lanes, waitedMs } = await openLanes(request, { signal, tuning, faults, now });
  const { shape, inlined } = list;
  const blob: Blob = { path, size: shape.size, root };
  try {
    if (inlined) {
      await writeWhole(path, inlined);
      onProgress?.(wholeAtOnce(shape.size));
      return blob;
    }
    await using part = (await PartFile.resume(path, shape, signal)) ?? (await PartFile.create(path, shape));
    const progress = new Progress(shape, part.verified, onProgress, now());
    await new Download({ request, part, faults, progress, tuning, now, lanes, waitedMs }).run(signal);
    await part.finish();
    return blob;
  } finally {
    for (const { lane } of lanes) lane.end();
  }
}

function tuningFor(quietMs: number | undefined): Tuning {
  if (quietMs === undefined) return defaultTuning;
  const connectMs = Math.min(quietMs, defaultTuning.connectMs);
  return { ...defaultTuning, giveUpMs: quietMs, connectMs };
}

function wholeAtOnce(size: number): FetchProgress {
  return { bytes: size, total: size, bytesPerSecond: 0, laneRates: [], secondsLeft: 0 };
}

/** The blob when `path` already has it: a crash after the rename leaves nothing to fetch. */
async function alreadyWhole({ path, root, maxBytes }: PieceRequest, signal: AbortSignal) {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile() || found.size > maxBytes) return undefined;
  const leaves = await hashPieces(path, found.size, signal);
  if (!leaves || !sameRoot(root, merkleRoot(splitLeaves(leaves)))) return undefined;
  await rm(`${path}.state`, { force: true });
  return { path, size: found.size, root };
}

async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  await writeFile(`${path}.part`, content, { mode: 0o600, flush: true });
  await rename(`${path}.part`, path);
}
