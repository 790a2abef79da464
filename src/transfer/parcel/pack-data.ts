import type { FileHandle } from "node:fs/promises";
import type { ParcelOptions } from "../../ports/parcels.ts";
import type { Hex } from "../../protocol/ids.ts";
import { BlobWriter } from "./blob-writer.ts";
import { CompatSealer } from "./compat/seal.ts";
import { archiveBytes, SLICE_BYTES } from "./format/archive.ts";
import { compress } from "./format/frames.ts";
import { sealSlice } from "./format/messages.ts";
import { freeBuffer } from "./free-buffer.ts";
import { archiveSlices, type Slice } from "./input/slices.ts";
import type { InputFile } from "./input/walk.ts";
import { inOrder } from "./ordered.ts";
import type { ResumeLog } from "./resume.ts";

/** Slices that are compressed and encrypted at once. */
const WIDTH = 2;
/** Bytes of blob between two checkpoints. */
const CHECKPOINT_BYTES = 64 << 20;

export interface DataJob {
  readonly files: readonly InputFile[];
  readonly file: FileHandle;
  readonly log: ResumeLog;
  readonly sessionKey: Uint8Array;
  /** True for the compatibility profile. */
  readonly compatible: boolean;
  /** Receives the SHA-256 of each file, by its index. */
  readonly hashes: Hex[];
}

/**
 * Writes the data of a blob, starting from the last checkpoint of the log where that is possible.
 * @throws PARCEL_INPUT_CHANGED, PARCEL_INPUT_MISSING; the file system's error; the signal's reason
 */
export async function writeData(job: DataJob, options: ParcelOptions): Promise<BlobWriter> {
  const { hashes, sessionKey } = job;
  const seal = job.compatible ? compatibleData(sessionKey) : modernData(sessionKey);
  let blob = await BlobWriter.continue(job.file, job.log.last.bytes, job.log.last.leaves);
  if (blob === undefined || !seal.resumable) {
    await job.log.restart();
    hashes.length = 0;
    blob = (await BlobWriter.continue(job.file, 0, []))!;
  }
  let slices = job.log.last.slices;
  const total = archiveBytes(job.files);
  let safe = blob.size;
  let saving: Promise<void> | undefined;
  const save = async (size: number) => {
    const point = { slices, bytes: size, leaves: [...blob.leaves.leaves], hashes: [...hashes] };
    await job.file.datasync();
    await job.log.append(point);
  };

  const source = archiveSlices(job.files, hashes, { from: slices, signal: options.signal });
  const messages = inOrder(source, WIDTH, async (slice) => {
    const parts = await seal.slice(slice);
    slice.release();
    return parts;
  });
  try {
    for await (const parts of messages) {
      options.signal?.throwIfAborted();
      await blob.append(seal.next(parts));
      for (const part of parts) freeBuffer(part);
      slices++;
      options.onProgress?.(Math.min(total, slices * SLICE_BYTES), total);
      if (!seal.resumable || saving !== undefined || blob.size - safe < CHECKPOINT_BYTES) continue;
      safe = blob.size;
      saving = save(blob.size).finally(() => {
        saving = undefined;
      });
      saving.catch(() => {}); // without this checkpoint a resumed pack only starts earlier
    }
  } catch (error) {
    await saving?.catch(() => {});
    if (seal.resumable && slices > job.log.last.slices && options.signal?.aborted) await save(blob.size);
    throw error;
  }
  await saving?.catch(() => {});
  await blob.append(seal.end());
  return blob;
}

/** Turns slices into bytes of the blob. */
interface DataSealer {
  /** True when another process can continue what is written. */
  readonly resumable: boolean;
  /** May be called for several slices at once. */
  slice(slice: Slice): Promise<Uint8Array[]>;
  /** Is called in the order of the slices. */
  next(parts: Uint8Array[]): Uint8Array[];
  end(): Uint8Array[];
}

function modernData(key: Uint8Array): DataSealer {
  return {
    resumable: true,
    slice: ({ index, bytes }) => sealSlice(key, index, bytes),
    next: (parts) => parts,
    end: () => [],
  };
}

function compatibleData(key: Uint8Array): DataSealer {
  const sealer = new CompatSealer(key);
  return {
    resumable: false, // the states of cipher and hash cannot be saved
    slice: ({ bytes }) => compress(bytes),
    next: (parts) => sealer.seal(parts),
    end: () => sealer.end(),
  };
}
