import type { Blob, Feed, FetchRequest, HostRequest } from "../../ports/transport.ts";
import type { Hex } from "../../protocol/ids.ts";
import type { Endpoint } from "../../protocol/parcel/locator.ts";
import type { LaneDialer } from "./lane-dialer.ts";
import type { AccessLimits } from "./serving/access-list.ts";

/** Load that one server accepts; defaults in `serving/limits.ts`. */
export interface PieceLimits extends AccessLimits {
  /** Open connections of all readers together. */
  readonly connections: number;
  /** Bytes per second of all connections together; undefined: no cap. */
  readonly bytesPerSecond: number | undefined;
  /** Milliseconds that a reader may receive nothing before its connection is cut. */
  readonly stallMs: number;
  /** Milliseconds that a connection may idle between two requests. */
  readonly idleMs: number;
  /** Requests after which a connection is closed. */
  readonly requestsPerConnection: number;
}

export interface PieceServerOptions {
  /** The 16-byte bearer token of the host itself; readers show their own, see `admit`. */
  readonly token: Hex;
  readonly blobs: readonly Blob[];
  readonly feeds?: readonly Feed[] | undefined;
  readonly onNotice?: HostRequest["onNotice"];
  readonly maxNotices?: HostRequest["maxNotices"];
  readonly limits?: Partial<PieceLimits> | undefined;
}

export type ListenTarget = { readonly unix: string } | { readonly host: string; readonly port: number };

/** Serves blobs over HTTP/1.1 on any listening socket (a unix socket for onions). */
export interface PieceServer {
  /** Resolves once the leaves of every blob are known and the socket listens. @throws as `addBlob`; system errors */
  listen(target: ListenTarget): Promise<void>;
  /** Accepts requests that show this 16-byte token. */
  admit(token: Hex): void;
  /** Rejects the token from now on and cuts the connections that showed it. */
  dismiss(token: Hex): void;
  /**
   * Resolves once the blob's leaves are known.
   * @throws TRANSFER_BLOB_CHANGED
   */
  addBlob(blob: Blob): Promise<void>;
  /** Answers as if the blob had never been here. */
  removeBlob(root: Hex): void;
  addFeed(feed: Feed): void;
  /**
   * Publishes the capsule (at most 1 KiB) of the reader with that fingerprint for `root`.
   * @throws TRANSFER_BAD_CAPSULE
   */
  putCapsule(root: Hex, fingerprint: Hex, capsule: Uint8Array): void;
  /** Cuts open connections. Idempotent. */
  close(): Promise<void>;
}

export type PieceRequest = FetchRequest & {
  readonly dialer: LaneDialer;
  /** Milliseconds that finding the host took, where it was looked for before: a sign of its distance. */
  readonly foundMs?: number | undefined;
};

/** What every small request needs. */
interface HostedRequest {
  readonly dialer: LaneDialer;
  readonly endpoint: Endpoint;
}
export interface CapsuleRequest extends HostedRequest {
  readonly root: Hex;
  readonly fingerprint: Hex;
}
export interface PartRequest extends HostedRequest {
  readonly id: Hex;
  readonly from: number;
}
export interface NoticeRequest extends HostedRequest {
  readonly root: Hex;
  readonly notice: Uint8Array;
}
export interface ProbeRequest extends HostedRequest {
  readonly root: Hex;
}
