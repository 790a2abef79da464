import { isIchainError } from "../../errors/error.ts";
import type { ParcelOptions, Parcels } from "../../ports/parcels.ts";
import type { Hex } from "../../protocol/ids.ts";
import { type FileRecord, filesDigest } from "../../protocol/parcel/digest.ts";
import { leavesOf, plainBlob } from "../pieces/hash-pieces.ts";
import { rethrow } from "./errors.ts";
import { hashInput } from "./input/input.ts";
import { listFiles } from "./input/walk.ts";
import type { AuthorKeyring } from "./keyring/create.ts";
import { openParcel } from "./open.ts";
import { packParcel } from "./pack.ts";

export interface ParcelsOptions {
  readonly keyring: AuthorKeyring;
  /**
   * Pack in the profile that GnuPG 2.2 can decrypt (docs/protocol.md), and accept it when opening. Its cryptography is
   * older, and it is slower and not resumable: off unless the user asks for it.
   */
  readonly compatibility?: "gpg" | undefined;
}

/**
 * Packs, opens and compares parcels; those it packs are signed by `keyring`. Errors of the file system are thrown as
 * PARCEL_IO or PARCEL_DISK_FULL.
 * @example
 * const parcels = createParcels({ keyring });
 * const { blob, sessionKey, digest } = await parcels.pack({ root: "job", paths: ["."], out: "/tmp/job.parcel" });
 */
export function createParcels({ keyring, compatibility }: ParcelsOptions): Parcels {
  const compatible = compatibility === "gpg";
  return {
    pack: (request, options) => packParcel(request, keyring, compatible, options).catch(rethrow),
    open: (request, options) => openParcel(request, compatible, options).catch(rethrow),
    digest(root, paths, options = {}) {
      return digestFolder(root, paths, options).catch(rethrow);
    },
    async plain(path, { signal } = {}) {
      try {
        return await plainBlob(path, signal);
      } catch (error) {
        return rethrow(error);
      }
    },
    async isWhole(blob, { signal } = {}) {
      try {
        await leavesOf(blob, signal);
        return true;
      } catch (error) {
        if (isIchainError(error, "TRANSFER_BLOB_CHANGED")) return false;
        return rethrow(error);
      }
    },
  };
}

async function digestFolder(root: string, paths: readonly string[], options: ParcelOptions): Promise<Hex> {
  const files = await listFiles(root, paths, options);
  const total = files.reduce((sum, file) => sum + file.size, 0);
  const records: FileRecord[] = [];
  let done = 0;
  for (const file of files) {
    records.push({ path: file.path, size: file.size, hash: await hashInput(file, options) });
    done += file.size;
    options.onProgress?.(done, total);
  }
  return filesDigest(records);
}
