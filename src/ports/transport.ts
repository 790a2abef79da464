import type { Abortable, AbortOptions } from "../async/abort.ts";
import type { Hex } from "../protocol/ids.ts";
import type { Endpoint } from "../protocol/parcel/locator.ts";

/** Ciphertext on disk that a transport moves: opaque bytes, verified piece by piece against `root`. */
export interface Blob {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 Merkle root over pieces of `PIECE_BYTES`. */
  readonly root: Hex;
}

/** A party that a host admits. */
export interface Reader {
  /** 32-byte OpenPGP fingerprint: names the reader's capsules. */
  readonly fingerprint: Hex;
  /** 32-byte x25519 public key for onion client authorisation; absent for one that comes with the guest key. */
  readonly onionKey?: Hex | undefined;
  /** 16 bytes, the reader's bearer token (`tokenFor`); the hosting's own when absent. */
  readonly token?: Hex | undefined;
}

/** Made once for each hosting and kept in the journal: the same secret gives the same address again. */
export interface HostIdentity {
  readonly endpoint: Endpoint;
  /** What the transport needs to host again at the same address; opaque, secret. */
  readonly secret: string;
}

/** Content that grows while it is hosted, such as a log. Readers fetch it in parts. */
export interface Feed {
  /** 32 bytes; readers ask for the feed by it. */
  readonly id: Hex;
  /**
   * The sealed part that begins at `from`, at most `FEED_PART_BYTES`. May wait for it; resolves with undefined when
   * `signal` aborts before it comes.
   */
  read(from: number, options: Abortable): Promise<Uint8Array | undefined>;
}

export interface HostRequest {
  readonly identity: HostIdentity;
  readonly blobs: readonly Blob[];
  readonly readers: readonly Reader[];
  /**
   * 32-byte x25519 secret of readers that are admitted later: it opens the address, which then need not be published
   * again for each of them, and nothing that is served there.
   */
  readonly guestKey?: Hex | undefined;
  readonly feeds?: readonly Feed[] | undefined;
  /**
   * Takes a reader's notice about the blob `root`, at most `NOTICE_MAX_BYTES`; the reader learns that it arrived once
   * this resolves. Readers cannot leave notices where it is absent.
   */
  readonly onNotice?: ((root: Hex, notice: Uint8Array) => Promise<void>) | undefined;
  /** That one reader may leave while the hosting lives: eight unless given, one and a few more after crashes. */
  readonly maxNotices?: number | undefined;
}

/** A live hosting. All methods are idempotent. */
export interface Hosting {
  readonly endpoint: Endpoint;
  /** Serves one more blob, to those who ask for it from now on. */
  add(blob: Blob): Promise<void>;
  /** Serves the blob no longer, to those who ask for it from now on. */
  remove(root: Hex): void;
  /** Serves one more feed. */
  addFeed(feed: Feed): void;
  /** Admits one more reader. */
  admit(reader: Reader): Promise<void>;
  /** Refuses a reader from now on and closes its connections; other readers may have to reconnect. */
  dismiss(reader: Reader): Promise<void>;
  /** Publishes the session key of `root`, wrapped for the reader with that fingerprint (≤ 1 KiB). */
  putCapsule(root: Hex, fingerprint: Hex, capsule: Uint8Array): void;
  stop(): Promise<void>;
}

export interface FetchRequest {
  readonly endpoint: Endpoint;
  readonly root: Hex;
  /** Path of the verified blob; a partial file beside it is resumed. */
  readonly path: string;
  /** Larger blobs are refused; bytes. */
  readonly maxBytes: number;
  /** The blob's size by the locator, where it has one: a hint for the number of lanes, not trusted. */
  readonly size?: number | undefined;
  /** Gives up when next to nothing came for this time, milliseconds; three minutes unless given. */
  readonly quietMs?: number | undefined;
}

export interface FetchProgress {
  /** Verified so far, including earlier calls. */
  readonly bytes: number;
  readonly total: number;
  readonly bytesPerSecond: number;
  /** Bytes per second of each open lane. */
  readonly laneRates: readonly number[];
  /** Undefined while nothing comes. */
  readonly secondsLeft: number | undefined;
}

export interface TransferOptions extends AbortOptions {
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
}

/** Moves blobs between parties: `onion` by default, `direct` on a private network. */
export interface Transport {
  readonly name: "onion" | "direct";
  start(options?: AbortOptions): Promise<void>;
  stop(): Promise<void>;
  /** Whether what it runs on works now; absent where it runs on nothing of its own. */
  isUp?(): boolean;
  /** Fresh keys and token; nothing is published yet. */
  newIdentity(): Promise<HostIdentity>;
  /**
   * The identity that is derived from `seed` (32 bytes), so that two parties with a shared secret need not exchange an
   * address.
   */
  meetingPoint(seed: Hex): Promise<HostIdentity>;
  /**
   * Hosts until `stop`. Resolves once the first bytes were fetched through the transport itself, or, without blobs, once
   * the address can be looked up.
   */
  host(request: HostRequest, options?: TransferOptions): Promise<Hosting>;
  /** Resolves once every piece is verified and the file is at `path`. */
  fetch(request: FetchRequest, options?: TransferOptions): Promise<Blob>;
  /** The capsule for `fingerprint`, or undefined while the host has not published one. */
  fetchCapsule(
    request: { endpoint: Endpoint; root: Hex; fingerprint: Hex },
    options?: TransferOptions,
  ): Promise<Uint8Array | undefined>;
  /**
   * The part of the feed `id` that begins at `from`, or undefined while there is none; the host may wait about twenty
   * seconds before it answers so.
   */
  fetchPart(
    request: { endpoint: Endpoint; id: Hex; from: number },
    options?: TransferOptions,
  ): Promise<Uint8Array | undefined>;
  /** Leaves a notice about the blob `root` with its host; resolves once the host has taken it. */
  sendNotice(
    request: { endpoint: Endpoint; root: Hex; notice: Uint8Array },
    options?: TransferOptions,
  ): Promise<void>;
}
