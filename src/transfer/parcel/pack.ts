import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isAbort } from "../../errors.ts";
import type { PackedParcel, PackRequest, ParcelOptions } from "../../ports/parcels.ts";
import { fromHex, toHex } from "../../protocol/bytes.ts";
import { filesDigest } from "../../protocol/digest.ts";
import type { Hex } from "../../protocol/ids.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { BlobWriter } from "./blob-writer.ts";
import { CompatSealer } from "./compat/seal.ts";
import { discard } from "./discard.ts";
import { archiveBytes, SLICE_BYTES } from "./format/archive.ts";
import { encodeFooter } from "./format/footer.ts";
import { compress } from "./format/frames.ts";
import { sealManifest } from "./format/manifest.ts";
import { sealSlice } from "./format/messages.ts";
import { archiveSlices, type Slice } from "./input/slices.ts";
import { type InputFile, listFiles } from "./input/walk.ts";
import type { AuthorKeyring } from "./keyring/create.ts";
import { inOrder } from "./ordered.ts";
import { ResumeLog } from "./resume.ts";

/** Slices that are compressed and encrypted at once. */
const WIDTH = 3;
/** Bytes of blob between two checkpoints. */
const CHECKPOINT_BYTES = 64 << 20;

/**
 * Packs, see `Parcels.pack`. An interrupted pack leaves `OUT.part` and `OUT.resume`, from which the same
 * call goes on unless a file has changed; any other failure leaves nothing.
 */
export async function packParcel(
  request: PackRequest,
  keyring: AuthorKeyring,
  compatible: boolean,
  options: ParcelOptions = {},
): Promise<PackedParcel> {
  const files = await listFiles(request.root, request.paths, options);
  const out = resolve(request.out);
  const part = `${out}.part`;
  await mkdir(dirname(out), { recursive: true });
  await using file = await open(part, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  await using log = await ResumeLog.open(`${out}.resume`, files, request.sessionKey, drawKey);
  let keep = false;
  try {
    const packed = await write({ files, file, log, keyring, note: request.note, compatible }, options);
    await file.sync();
    await rename(part, out);
    await syncFolder(dirname(out));
    return { blob: { path: request.out, ...packed.blob }, sessionKey: log.sessionKey, digest: packed.digest };
  } catch (error) {
    keep = !compatible && (options.signal?.aborted === true || isAbort(error));
    throw error;
  } finally {
    if (!keep) await Promise.all([rm(part, { force: true }), log.remove()]);
  }
}

interface Job {
  readonly files: readonly InputFile[];
  readonly file: FileHandle;
  readonly log: ResumeLog;
  readonly keyring: AuthorKeyring;
  readonly note: unknown;
  /** Data in the compatibility profile. */
  readonly compatible: boolean;
}

async function write(
  job: Job,
  options: ParcelOptions,
): Promise<{ blob: { size: number; root: Hex }; digest: Hex }> {
  const key = fromHex(job.log.sessionKey);
  const hashes = [...job.log.last.hashes] as Hex[];
  const blob = await writeData(job, key, hashes, options);
  const ciphertextRoot = blob.root;
  const offset = blob.size;

  const records = job.files.map(({ path, size, executable }, i) => ({
    path,
    size,
    hash: hashes[i]!,
    executable,
  }));
  const { openpgpKey, fingerprint, onionKey } = job.keyring.publicKeys;
  const manifest: Manifest = {
    version: 1,
    author: { openpgpKey, fingerprint, onionKey },
    files: records,
    totalBytes: records.reduce((sum, file) => sum + file.size, 0),
    digest: filesDigest(records),
    ciphertextRoot,
    ...(job.note === undefined ? {} : { note: job.note }),
  };
  await blob.append(await sealManifest(manifest, key, job.keyring));
  await blob.append([encodeFooter({ offset, length: blob.size - offset })]);
  return { blob: { size: blob.size, root: blob.root }, digest: manifest.digest as Hex };
}

async function writeData(
  job: Job,
  key: Uint8Array,
  hashes: Hex[],
  options: ParcelOptions,
): Promise<BlobWriter> {
  const seal = job.compatible ? compatibleData(key) : modernData(key);
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
      for (const part of parts) discard(part);
      slices++;
      options.onProgress?.(Math.min(total, slices * SLICE_BYTES), total);
      if (!seal.resumable || saving !== undefined || blob.size - safe < CHECKPOINT_BYTES) continue;
      safe = blob.size;
      saving = save(blob.size).finally(() => {
        saving = undefined;
      });
      saving.catch(() => {}); // a checkpoint that fails costs time later, nothing now
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

/** How slices become bytes of the blob. */
interface DataSealer {
  /** Whether what is written can be continued by another process. */
  readonly resumable: boolean;
  /** May run for several slices at once. */
  slice(slice: Slice): Promise<Uint8Array[]>;
  /** Runs in order. */
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
    resumable: false, // neither the cipher's nor the hash's state can be put aside
    slice: ({ bytes }) => compress(bytes),
    next: (parts) => sealer.seal(parts),
    end: () => sealer.end(),
  };
}

function drawKey(): Hex {
  return toHex(randomBytes(32));
}

/** A rename is on disk once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
