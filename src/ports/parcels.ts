import type { AbortOptions } from "../async/abort.ts";
import type { Hex } from "../protocol/ids.ts";
import type { Party, PublicKeys } from "../protocol/offer.ts";
import type { Manifest } from "../protocol/parcel/manifest.ts";
import type { Blob } from "./transport.ts";

export interface PackRequest {
  /** Folder that the paths are relative to. */
  readonly root: string;
  /** Files to pack, as relative POSIX paths; a folder stands for all files below it. */
  readonly paths: readonly string[];
  /** Path of the blob; resume state and leaf list are files beside it. */
  readonly out: string;
  /** 32 bytes; random when absent. */
  readonly sessionKey?: Hex | undefined;
  /** Small JSON carried in the signed manifest: the spec in a bundle, nothing in a result. */
  readonly note?: unknown;
}

export interface PackedParcel {
  readonly blob: Blob;
  readonly sessionKey: Hex;
  /** SHA-256 over paths and contents of the files: what measurements compare. */
  readonly digest: Hex;
}

export interface OpenLimits {
  readonly maxBytes: number;
  readonly maxFiles: number;
}

export interface ParcelOptions extends AbortOptions {
  /** Bytes of the archive done so far, including those of an interrupted call, and in total. */
  readonly onProgress?: ((bytes: number, total: number) => void) | undefined;
}

/** Packs, encrypts and opens parcels as streams, in bounded memory. */
export interface Parcels {
  pack(request: PackRequest, options?: ParcelOptions): Promise<PackedParcel>;
  /**
   * Decrypts and unpacks into the empty or absent folder `into`, which is absent after a failure. The manifest's author
   * must be `author` where given.
   * @throws codes of class `untrusted` on hostile content
   */
  open(
    request: { blob: Blob; sessionKey: Hex; into: string; author?: Hex | undefined; limits: OpenLimits },
    options?: ParcelOptions,
  ): Promise<{ manifest: Manifest; digest: Hex }>;
  /** The digest of a folder's files, as a parcel of them would carry it. */
  digest(root: string, paths: readonly string[], options?: ParcelOptions): Promise<Hex>;
  /** A file as it is, neither packed nor encrypted, as a transport serves it. */
  plain(path: string, options?: AbortOptions): Promise<Blob>;
  /** Whether the file still is the parcel that was packed. What it takes to find out is kept for hosting it. */
  isWhole(blob: Blob, options?: AbortOptions): Promise<boolean>;
}

/** The account's own OpenPGP and onion keys. */
export interface Keyring {
  readonly publicKeys: PublicKeys;
  /**
   * Checks that the reader's certificate is valid now, that its account signed it, and that it names that account and
   * no other. `seal` and `wrap` check it first, so that they never encrypt to another party's keys.
   * @throws KEY_MALFORMED
   * @throws KEY_NOT_BOUND
   */
  check(reader: Party): Promise<void>;
  /** Encrypts a message of at most `MAX_SEALED_BYTES` to one reader; the ciphertext does not name the reader. */
  seal(message: Uint8Array, reader: Party): Promise<Hex>;
  /** @throws SEAL_NOT_FOR_US */
  unseal(sealed: Hex): Promise<Uint8Array>;
  /** A session key, wrapped for one reader: about 110 bytes. */
  wrap(sessionKey: Hex, reader: Party): Promise<Uint8Array>;
  unwrap(capsule: Uint8Array): Promise<Hex>;
  /**
   * 32 bytes that only this account and the owner of `onionKey` can derive; different for each `purpose`.
   * @throws KEY_UNUSABLE
   */
  agree(onionKey: Hex, purpose: string): Promise<Hex>;
}
