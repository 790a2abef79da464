import type { Socket } from "node:net";
import type { Abortable } from "../../async/abort.ts";
import type { Blob, Feed, FetchRequest, TransferOptions } from "../../ports/transport.ts";
import type { Hex } from "../../protocol/ids.ts";
import type { Endpoint } from "../../protocol/parcel/locator.ts";
import type { AccessLimits } from "./serving/access-list.ts";

/** What one server bears; every field has a default in `limits.ts`. */
export interface PieceLimits extends AccessLimits {
  /** Open connections over all readers. */
  readonly connections: number;
  /** Bytes per second over all connections that answer together; undefined: as fast as the wire. */
  readonly bytesPerSecond: number | undefined;
  /** Milliseconds that a reader may take in nothing before it is dropped. */
  readonly stallMs: number;
  /** Milliseconds that a connection may idle between two requests. */
  readonly idleMs: number;
  /** Requests that one connection may make before it is closed. */
  readonly requestsPerConnection: number;
}

export interface PieceServerOptions {
  /** The 16-byte bearer token of the host itself; readers show their own, see `admit`. */
  readonly token: Hex;
  readonly blobs: readonly Blob[];
  readonly feeds?: readonly Feed[] | undefined;
  readonly limits?: Partial<PieceLimits> | undefined;
}

export type ListenTarget = { readonly unix: string } | { readonly host: string; readonly port: number };

/** Serves blobs over HTTP on any listening socket (a unix socket for onions). */
export interface PieceServer {
  listen(target: ListenTarget): Promise<void>;
  /** From now on, whoever shows this token may read. */
  admit(token: Hex): void;
  /** Its connections end, and it opens nothing any more. */
  dismiss(token: Hex): void;
  /** Resolves once the blob's leaves are known; rejects if its bytes are not those of its root. */
  addBlob(blob: Blob): Promise<void>;
  /** Publishes the capsule (≤ 1 KiB) of the reader with that fingerprint for `root`. */
  putCapsule(root: Hex, fingerprint: Hex, capsule: Uint8Array): void;
  /** Idempotent; open connections are cut. */
  close(): Promise<void>;
}

/** Where the bytes of a connection go. */
export interface LaneIo {
  /**
   * The bytes lie in a buffer that is used again once this returns true; false pauses the socket, and they
   * stay as they are until it is resumed.
   */
  onBytes(bytes: Buffer): boolean;
  /** The host itself has been reached. */
  onReached(): void;
}

/** One lane = one independent connection path. */
export interface LaneDialer {
  /**
   * A new connection for the lane of that name, isolated from other lanes (SOCKS credentials of its own for
   * onion, plain for direct). A lane that stalls comes back under a new name, hence on a new circuit.
   * Resolves once bytes may be written; rejects when there is no way. The caller destroys it.
   */
  connect(lane: string, io: LaneIo): Promise<Socket>;
  /** For the `Host` header, e.g. `<56 characters>.onion`. */
  readonly host: string;
  /**
   * Looks up anew where the host is. Called when it was reached before and no lane reaches it any more: a
   * host that was started again is found at once, and not when an old descriptor has been tried to the end.
   */
  refresh?(options: Abortable): Promise<unknown>;
}

export type PieceRequest = FetchRequest & { readonly dialer: LaneDialer };
export type CapsuleRequest = {
  readonly dialer: LaneDialer;
  readonly endpoint: Endpoint;
  readonly root: Hex;
  readonly fingerprint: Hex;
};
export type PartRequest = {
  readonly dialer: LaneDialer;
  readonly endpoint: Endpoint;
  readonly id: Hex;
  readonly from: number;
};
export type ProbeRequest = { readonly dialer: LaneDialer; readonly endpoint: Endpoint; readonly root: Hex };

/** `createPieceServer` in server.ts. */
export type CreatePieceServer = (options: PieceServerOptions) => PieceServer;
/** `fetchBlob` in fetch-blob.ts: resolves once every piece is verified and the file lies at `path`. */
export type FetchBlob = (request: PieceRequest, options?: TransferOptions) => Promise<Blob>;
/** `fetchCapsule` in fetch-small.ts: undefined while the host has not published it. */
export type FetchCapsule = (
  request: CapsuleRequest,
  options?: TransferOptions,
) => Promise<Uint8Array | undefined>;
/** `fetchFirstBytes` in fetch-small.ts: the self-probe, a bounded GET of the first bytes of a blob. */
export type FetchFirstBytes = (request: ProbeRequest, options?: TransferOptions) => Promise<void>;
