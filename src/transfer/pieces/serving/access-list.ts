import { createHash, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import type { Hex } from "../../../protocol/ids.ts";
import { authorization } from "../wire.ts";
import { RateCap } from "./rate-cap.ts";

export interface AccessLimits {
  /** Open connections of one reader. */
  readonly readerConnections: number;
  /** Bytes per second of one reader; undefined: no cap. */
  readonly readerBytesPerSecond: number | undefined;
  /** Notices that one reader may leave. */
  readonly readerNotices: number;
}

/** One reader that may connect. */
export interface AccessEntry {
  readonly rateCap: RateCap | undefined;
  /** Counts the connection as this reader's; false when the reader has `readerConnections` already. */
  addConnection(socket: Socket): boolean;
  /** Counts a notice of this reader; false when it has left `readerNotices` already. */
  addNotice(): boolean;
}

/** The readers that may connect, by token. Each has its own token, so that limits apply to each. */
export class AccessList {
  readonly #limits: AccessLimits;
  readonly #readers = new Map<string, ReaderConnections>();

  constructor(limits: AccessLimits) {
    this.#limits = limits;
  }

  admit(token: Hex): void {
    const tokenDigest = digest(authorization(token));
    const key = tokenDigest.toString("hex");
    if (!this.#readers.has(key)) this.#readers.set(key, new ReaderConnections(tokenDigest, this.#limits));
  }

  /** Cuts the reader's connections and rejects its token from now on. */
  dismiss(token: Hex): void {
    const key = digest(authorization(token)).toString("hex");
    this.#readers.get(key)?.clear();
    this.#readers.delete(key);
  }

  /**
   * The reader whose token the `Authorization` header shows. Digests of one length are compared, and always all of
   * them: the time reveals neither a common prefix, nor a length, nor a place in the list.
   */
  authenticate(header: string | undefined): AccessEntry | undefined {
    const shown = digest(header ?? "");
    let found: AccessEntry | undefined;
    for (const reader of this.#readers.values())
      if (timingSafeEqual(shown, reader.tokenDigest)) found = reader;
    return found;
  }
}

class ReaderConnections implements AccessEntry {
  readonly tokenDigest: Buffer;
  readonly rateCap: RateCap | undefined;
  readonly #most: number;
  readonly #mostNotices: number;
  readonly #open = new Set<Socket>();
  #notices = 0;

  constructor(tokenDigest: Buffer, limits: AccessLimits) {
    const { readerConnections, readerBytesPerSecond, readerNotices } = limits;
    this.tokenDigest = tokenDigest;
    this.#most = readerConnections;
    this.#mostNotices = readerNotices;
    this.rateCap = readerBytesPerSecond === undefined ? undefined : new RateCap(readerBytesPerSecond);
  }

  addConnection(socket: Socket): boolean {
    if (this.#open.has(socket)) return true;
    if (this.#open.size >= this.#most || socket.destroyed) return false;
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
    return true;
  }

  addNotice(): boolean {
    this.#notices += 1;
    return this.#notices <= this.#mostNotices;
  }

  clear(): void {
    for (const socket of this.#open) socket.destroy();
  }
}

const digest = (text: string) => createHash("sha256").update(text).digest();
