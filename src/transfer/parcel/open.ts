import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { IchainError } from "../../errors/error.ts";
import type { ParcelOptions, Parcels } from "../../ports/parcels.ts";
import { fromHex } from "../../protocol/bytes.ts";
import { type Hex, isHex } from "../../protocol/ids.ts";
import type { Manifest } from "../../protocol/parcel/manifest.ts";
import { readExactly, readSlices } from "./blob-reader.ts";
import { isCompatible, readCompatible } from "./compat/slices.ts";
import { parcelDiskFull, parcelFault } from "./errors.ts";
import { archiveBytes } from "./format/archive.ts";
import { decodeFooter, FOOTER_BYTES, type Footer } from "./format/footer.ts";
import { openManifest } from "./format/manifest.ts";
import { freeBuffer } from "./free-buffer.ts";
import { hashLeaves } from "./leaves/hash-leaves.ts";
import type { Leaves } from "./leaves/hasher.ts";
import { Unpacker } from "./unpacker.ts";

type OpenRequest = Parameters<Parcels["open"]>[0];

/**
 * Implements `Parcels.open`. Files are written below `<into>.partial`, which is renamed to `into` once every byte of the
 * blob is verified. They are not flushed to disk: after a crash the blob can be opened again.
 * @throws PARCEL_MALFORMED, PARCEL_CORRUPT, PARCEL_UNTRUSTED, PARCEL_TOO_LARGE, PARCEL_UNSAFE_PATH,
 *   PARCEL_COMPATIBILITY, PARCEL_TARGET_OCCUPIED, PARCEL_DISK_FULL; the file system's error; the signal's reason
 */
export async function openParcel(
  request: OpenRequest,
  compatible: boolean,
  options: ParcelOptions = {},
): Promise<{ manifest: Manifest; digest: Hex }> {
  options.signal?.throwIfAborted();
  if (!isHex(request.sessionKey, 32))
    throw parcelFault("PARCEL_CORRUPT", "The parcel's key is not 32 bytes.");
  const into = resolve(request.into);
  const partial = `${into}.partial`;
  await clearTarget(into);
  await rm(partial, { recursive: true, force: true }); // left by a crash
  const blob = await open(request.blob.path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    if ((await blob.stat()).size !== request.blob.size) {
      throw parcelFault("PARCEL_CORRUPT", "The parcel's file does not have the announced length.");
    }
    const key = fromHex(request.sessionKey);
    const { footer, manifest, tail } = await readManifest(blob, key, request);
    await mkdir(dirname(partial), { recursive: true });
    await checkSpace(dirname(partial), manifest.totalBytes);
    await mkdir(partial, { mode: 0o700 });
    await using leaves = hashLeaves(footer.offset);
    await unpack({ blob, key, footer, manifest, partial, compatible, leaves }, options);
    if ((await leaves.settle()).root !== manifest.ciphertextRoot) {
      throw parcelFault("PARCEL_CORRUPT", "The parcel's bytes do not hash as its author signed.");
    }
    await leaves.update([tail]);
    if ((await leaves.settle()).root !== request.blob.root) {
      throw parcelFault("PARCEL_CORRUPT", "The parcel is not the one that was announced.");
    }
    await rename(partial, into);
    return { manifest, digest: manifest.digest as Hex };
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  } finally {
    await blob.close();
  }
}

async function readManifest(blob: FileHandle, key: Uint8Array, request: OpenRequest) {
  const { size } = request.blob;
  const footer = decodeFooter(await readExactly(blob, size - FOOTER_BYTES, FOOTER_BYTES), size);
  const tail = await readExactly(blob, footer.offset, size - footer.offset);
  const manifest = await openManifest(tail.subarray(0, footer.length), key, request);
  return { footer, manifest, tail };
}

interface Job {
  readonly blob: FileHandle;
  readonly key: Uint8Array;
  readonly footer: Footer;
  readonly manifest: Manifest;
  readonly partial: string;
  /** True when the compatibility profile is accepted. */
  readonly compatible: boolean;
  /** Gets every byte of data. */
  readonly leaves: Leaves;
}

async function unpack(job: Job, options: ParcelOptions): Promise<void> {
  const { leaves } = job;
  const total = archiveBytes(job.manifest.files);
  const unpacker = new Unpacker(job.partial, job.manifest.files);
  const data = { blob: job.blob, sessionKey: job.key, end: job.footer.offset, total, leaves };
  const slices = (await isCompatible(data)) ? readCompatible(data, job.compatible) : readSlices(data);
  let done = 0;
  const write = async (slice: Uint8Array) => {
    await unpacker.write(slice);
    done += slice.length;
    options.onProgress?.(done, total);
    freeBuffer(slice);
  };
  let writing: Promise<void> | undefined;
  try {
    for await (const slice of slices) {
      await writing;
      options.signal?.throwIfAborted();
      writing = write(slice); // at the same time the next one is read and decrypted
      writing.catch(() => {}); // a failure is thrown by the next `await writing`
    }
    await writing;
    unpacker.finish();
  } finally {
    await writing?.catch(() => {});
    await unpacker.close();
  }
}

async function clearTarget(into: string): Promise<void> {
  const entries = await readdir(into).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw occupied(into, error);
  });
  if (entries === undefined) return;
  if (entries.length > 0) throw occupied(into);
  await rmdir(into);
}

/** Checked in advance: unpacking must not fill a disk that other jobs share. */
async function checkSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < bytes) throw parcelDiskFull(folder);
}

function occupied(into: string, cause?: unknown): IchainError {
  return new IchainError("PARCEL_TARGET_OCCUPIED", `${into} is not an empty folder.`, { cause });
}
