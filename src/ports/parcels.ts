import type { AbortOptions } from "../async/abort.ts";
import type { Hex } from "../protocol/ids.ts";
import type { Party, PublicKeys } from "../protocol/offer.ts";
import type { Manifest } from "../protocol/parcel/manifest.ts";
import type { Blob } from "./transport.ts";

export interface PackRequest {
  /** Folder that the paths are relative to. */
  readonly root: string;
  /** Files to pack, POSIX relative paths; a folder stands for everything below it. */
  readonly paths: readonly string[];
  /** Where the blob goes; parcel bookkeeping (resume state, leaves) lies beside it. */
  readonly out: string;
  /** 32 bytes; drawn when absent. */
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
  /** Bytes of archive done so far (those of an interrupted pack that is resumed included), of how many. */
  readonly onProgress?: ((bytes: number, total: number) => void) | undefined;
}

/** Packs, encrypts and opens parcels; streaming, bounded memory. */
export interface Parcels {
  pack(request: PackRequest, options?: ParcelOptions): Promise<PackedParcel>;
  /**
   * Decrypts and unpacks into the empty or absent folder `into`; on any failure `into` is left absent.
   * The manifest's author must be `author` when given. Throws class `untrusted` on hostile content.
   */
  open(
    request: { blob: Blob; sessionKey: Hex; into: string; author?: Hex | undefined; limits: OpenLimits },
    options?: ParcelOptions,
  ): Promise<{ manifest: Manifest; digest: Hex }>;
  /** The digest of a folder's files, as a parcel of them would carry it. */
  digest(root: string, paths: readonly string[], options?: ParcelOptions): Promise<Hex>;
}

/** The account's own OpenPGP and onion keys. */
export interface Keyring {
  readonly publicKeys: PublicKeys;
  /**
   * Throws class `untrusted` unless the reader's certificate is valid now (`KEY_MALFORMED`), is the one that
   * its account signed for, and itself names that account and no other (`KEY_NOT_BOUND`). `seal` and `wrap`
   * begin with it, so that nothing can be sealed to keys of somebody else.
   */
  check(reader: Party): Promise<void>;
  /** Encrypts a short message (≤ 64 KiB) to one reader, hidden recipient. */
  seal(message: Uint8Array, reader: Party): Promise<Hex>;
  /** Throws `SEAL_NOT_FOR_US`, class `untrusted`. */
  unseal(sealed: Hex): Promise<Uint8Array>;
  /** A session key, wrapped for one reader: about 110 bytes. */
  wrap(sessionKey: Hex, reader: Party): Promise<Uint8Array>;
  unwrap(capsule: Uint8Array): Promise<Hex>;
  /**
   * 32 bytes that only this account and the owner of `onionKey` can derive, the same on both sides and
   * another for each `purpose`. Throws `KEY_UNUSABLE`, class `untrusted`.
   */
  agree(onionKey: Hex, purpose: string): Promise<Hex>;
}
