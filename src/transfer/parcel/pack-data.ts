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
 * Writes the data of a blob, starting from the last checkpoint of the log where that is possible. The caller disposes
 * the writer.
 * @throws PARCEL_INPUT_CHANGED, PARCEL_INPUT_MISSING; the file system's error; the signal's reason
 */
export async function writeData(job: DataJob, options: ParcelOptions): Promise<BlobWriter> {
  const { hashes, sessionKey } = job;
  const seal = job.compatible ? compatibleData(sessionKey) : modernData(sessionKey);
  const total = archiveBytes(job.files);
  // The parts of the compatibility profile share memory: they cannot be passed to another thread.
  const coming = seal.resumable ? total : 0;
  let begun = seal.resumable ? await BlobWriter.continue(job.file, job.log.last, coming) : undefined;
  if (begun === undefined) {
    await job.log.restart();
    hashes.length = 0;
    begun = (await BlobWriter.continue(job.file, job.log.last, coming))!;
  }
  await using stack = new AsyncDisposableStack();
  const blob = stack.use(begun);
  let slices = job.log.last.slices;
  let safe = blob.size;
  let saving: Promise<void> | undefined;
  const save = async () => {
    const point = { slices, bytes: blob.size, hashes: [...hashes] };
    const { leaves } = await blob.leaves.settle();
    await job.file.datasync();
    await job.log.append({ ...point, leaves });
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
      saving = save().finally(() => {
        saving = undefined;
      });
      saving.catch(() => {}); // without this checkpoint a resumed pack only starts earlier
    }
  } catch (error) {
    await saving?.catch(() => {});
    if (seal.resumable && slices > job.log.last.slices && options.signal?.aborted) await save();
    throw error;
  }
  await saving?.catch(() => {});
  await blob.append(seal.end());
  stack.move();
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
