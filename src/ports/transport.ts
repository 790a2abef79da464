import type { Abortable, AbortOptions } from "../async/abort.ts";
import type { Hex } from "../protocol/ids.ts";
import type { Endpoint } from "../protocol/parcel/locator.ts";

/** Ciphertext on disk that a transport moves: opaque bytes, verified piece by piece against `root`. */
export interface Blob {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 Merkle root over pieces of `PIECE_BYTES` (protocol/merkle.ts). */
  readonly root: Hex;
}

/** Somebody whom a host lets in. */
export interface Reader {
  /** 32-byte OpenPGP fingerprint: names the reader's capsules. */
  readonly fingerprint: Hex;
  /** 32-byte x25519 public key for onion client authorisation. */
  readonly onionKey: Hex;
  /** 16 bytes: the bearer token that it was given (`tokenFor`); the hosting's own when absent. */
  readonly token?: Hex | undefined;
}

/** Made once per hosting and kept in the journal: the same secret brings back the same address. */
export interface HostIdentity {
  readonly endpoint: Endpoint;
  /** What the transport needs to host again at the same address; opaque, secret. */
  readonly secret: string;
}

/** What grows while it is hosted, as a log does: read part by part, from wherever the reader has come to. */
export interface Feed {
  /** 32 bytes: what readers ask for. */
  readonly id: Hex;
  /**
   * The part that begins at `from`, at most `FEED_PART_BYTES`; it may wait for one to come and resolves
   * with undefined when `signal` aborts before. Whoever hosts seals it and lets its reader check it.
   */
  read(from: number, options: Abortable): Promise<Uint8Array | undefined>;
}

export interface HostRequest {
  readonly identity: HostIdentity;
  readonly blobs: readonly Blob[];
  readonly readers: readonly Reader[];
  readonly feeds?: readonly Feed[] | undefined;
}

/** A live hosting. All methods are idempotent. */
export interface Hosting {
  readonly endpoint: Endpoint;
  /** Lets one more reader in while serving. */
  admit(reader: Reader): Promise<void>;
  /** Lets a reader in no longer, and ends its connections; others may have to begin theirs anew. */
  dismiss(reader: Reader): Promise<void>;
  /** Publishes the session key of `root`, wrapped for the reader with that fingerprint (≤ 1 KiB). */
  putCapsule(root: Hex, fingerprint: Hex, capsule: Uint8Array): void;
  stop(): Promise<void>;
}

export interface FetchRequest {
  readonly endpoint: Endpoint;
  readonly root: Hex;
  /** Where the verified blob shall lie; partial state lives beside it and is resumed from. */
  readonly path: string;
  /** Refuse larger blobs; bytes. */
  readonly maxBytes: number;
  /** What the locator says of the blob's size, if it says it: a hint of how many lanes pay, no promise. */
  readonly size?: number | undefined;
}

export interface FetchProgress {
  /** Verified so far, in this fetch and earlier ones. */
  readonly bytes: number;
  readonly total: number;
  readonly bytesPerSecond: number;
  /** Bytes per second of each lane that is open. */
  readonly laneRates: readonly number[];
  /** Undefined while nothing comes. */
  readonly secondsLeft: number | undefined;
}

export interface TransferOptions extends AbortOptions {
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
}

/** Moves blobs between strangers: `onion` by default, `direct` on a private network. */
export interface Transport {
  readonly name: "onion" | "direct";
  start(options?: AbortOptions): Promise<void>;
  stop(): Promise<void>;
  /** Fresh keys and token; nothing is published yet. */
  newIdentity(): Promise<HostIdentity>;
  /**
   * The identity that everybody derives who knows `seed` (32 bytes): where two parties meet that share a
   * secret and cannot tell each other an address.
   */
  meetingPoint(seed: Hex): Promise<HostIdentity>;
  /**
   * Resolves once a fetch of the first bytes through the transport itself has succeeded; without blobs,
   * once the hosting can be found.
   */
  host(request: HostRequest, options?: TransferOptions): Promise<Hosting>;
  /** Resolves once every piece is verified and the whole file lies at `path`. */
  fetch(request: FetchRequest, options?: TransferOptions): Promise<Blob>;
  /** The capsule for `fingerprint`, or undefined while the host has not published one. */
  fetchCapsule(
    request: { endpoint: Endpoint; root: Hex; fingerprint: Hex },
    options?: TransferOptions,
  ): Promise<Uint8Array | undefined>;
  /**
   * The part of the feed `id` that begins at `from`, or undefined while there is none; the host may take
   * some twenty seconds to say so.
   */
  fetchPart(
    request: { endpoint: Endpoint; id: Hex; from: number },
    options?: TransferOptions,
  ): Promise<Uint8Array | undefined>;
}
