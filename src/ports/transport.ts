import type { Hex } from "../protocol/ids.ts";
import type { Endpoint } from "../protocol/locator.ts";

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
}

/** Made once per hosting and kept in the journal: the same secret brings back the same address. */
export interface HostIdentity {
  readonly endpoint: Endpoint;
  /** What the transport needs to host again at the same address; opaque, secret. */
  readonly secret: string;
}

export interface HostRequest {
  readonly identity: HostIdentity;
  readonly blobs: readonly Blob[];
  readonly readers: readonly Reader[];
}

/** A live hosting. All methods are idempotent. */
export interface Hosting {
  readonly endpoint: Endpoint;
  /** Lets one more reader in while serving. */
  admit(reader: Reader): Promise<void>;
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
}

export interface FetchProgress {
  /** Verified so far, in this fetch and earlier ones. */
  readonly bytes: number;
  readonly total: number;
  readonly lanes: number;
  readonly bytesPerSecond: number;
  /** Bytes per second of each lane. */
  readonly laneRates: readonly number[];
  /** Undefined while nothing comes. */
  readonly secondsLeft: number | undefined;
}

export interface TransferOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
}

/** Moves blobs between strangers: `onion` by default, `direct` on a private network. */
export interface Transport {
  readonly name: "onion" | "direct";
  start(options?: { signal?: AbortSignal | undefined }): Promise<void>;
  stop(): Promise<void>;
  /** Fresh keys and token; nothing is published yet. */
  newIdentity(): Promise<HostIdentity>;
  /** Resolves once a fetch of the first bytes through the transport itself has succeeded. */
  host(request: HostRequest, options?: TransferOptions): Promise<Hosting>;
  /** Resolves once every piece is verified and the whole file lies at `path`. */
  fetch(request: FetchRequest, options?: TransferOptions): Promise<Blob>;
  /** The capsule for `fingerprint`, or undefined while the host has not published one. */
  fetchCapsule(
    request: { endpoint: Endpoint; root: Hex; fingerprint: Hex },
    options?: TransferOptions,
  ): Promise<Uint8Array | undefined>;
}
