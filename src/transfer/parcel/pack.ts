import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isAbort } from "../../errors/error.ts";
import type { PackedParcel, PackRequest, ParcelOptions } from "../../ports/parcels.ts";
import { fromHex, toHex } from "../../protocol/bytes.ts";
import type { Hex } from "../../protocol/ids.ts";
import { filesDigest } from "../../protocol/parcel/digest.ts";
import type { Manifest } from "../../protocol/parcel/manifest.ts";
import { syncFolder } from "../files.ts";
import { encodeFooter } from "./format/footer.ts";
import { sealManifest } from "./format/manifest.ts";
import { listFiles } from "./input/walk.ts";
import type { AuthorKeyring } from "./keyring/create.ts";
import { type DataJob, writeData } from "./pack-data.ts";
import { ResumeLog } from "./resume.ts";

/**
 * Implements `Parcels.pack`. An interrupted pack leaves `<out>.part` and `<out>.resume`, from which the same call
 * continues unless a file has changed; any other failure leaves nothing.
 * @throws PARCEL_UNSUPPORTED_FILE, PARCEL_UNSAFE_PATH, PARCEL_INPUT_MISSING, PARCEL_INPUT_CHANGED,
 *   PARCEL_INPUT_TOO_LARGE; the file system's error; the signal's reason
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

interface Job extends Omit<DataJob, "hashes" | "sessionKey"> {
  readonly keyring: AuthorKeyring;
  readonly note: unknown;
}

async function write(
  job: Job,
  options: ParcelOptions,
): Promise<{ blob: { size: number; root: Hex }; digest: Hex }> {
  const sessionKey = fromHex(job.log.sessionKey);
  const hashes = [...job.log.last.hashes] as Hex[];
  await using blob = await writeData({ ...job, sessionKey, hashes }, options);
  const { root: ciphertextRoot } = await blob.leaves.settle();
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
  await blob.append(await sealManifest(manifest, sessionKey, job.keyring));
  await blob.append([encodeFooter({ offset, length: blob.size - offset })]);
  const { root } = await blob.leaves.settle();
  return { blob: { size: blob.size, root }, digest: manifest.digest as Hex };
}

function drawKey(): Hex {
  return toHex(randomBytes(32));
}
