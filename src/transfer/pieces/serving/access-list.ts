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
}

/** Somebody with a token of its own. */
export interface AccessEntry {
  readonly rateCap: RateCap | undefined;
  /** Counts the connection as this guest's; false when it has as many as it may. */
  seat(socket: Socket): boolean;
}

/** Who may read, by token: each reader has its own, so that each has its own share. */
export class AccessList {
  readonly #limits: AccessLimits;
  readonly #guests = new Map<string, Seats>();

  constructor(limits: AccessLimits) {
    this.#limits = limits;
  }

  admit(token: Hex): void {
    const name = digest(authorization(token));
    if (!this.#guests.has(name.toString("hex")))
      this.#guests.set(name.toString("hex"), new Seats(name, this.#limits));
  }

  /** Its connections end, and its token opens nothing any more. */
  dismiss(token: Hex): void {
    const name = digest(authorization(token)).toString("hex");
    this.#guests.get(name)?.clear();
    this.#guests.delete(name);
  }

  /**
   * Whose token the `Authorization` header shows. Digests of one length are compared, all of them: the time
   * tells neither a common prefix nor a length nor a place in the list.
   */
  recognise(header: string | undefined): AccessEntry | undefined {
    const shown = digest(header ?? "");
    let found: AccessEntry | undefined;
    for (const guest of this.#guests.values()) if (timingSafeEqual(shown, guest.name)) found = guest;
    return found;
  }
}

class Seats implements AccessEntry {
  readonly name: Buffer;
  readonly rateCap: RateCap | undefined;
  readonly #most: number;
  readonly #taken = new Set<Socket>();

  constructor(name: Buffer, { readerConnections, readerBytesPerSecond }: AccessLimits) {
    this.name = name;
    this.#most = readerConnections;
    this.rateCap = readerBytesPerSecond === undefined ? undefined : new RateCap(readerBytesPerSecond);
  }

  seat(socket: Socket): boolean {
    if (this.#taken.has(socket)) return true;
    if (this.#taken.size >= this.#most || socket.destroyed) return false;
    this.#taken.add(socket);
    socket.once("close", () => this.#taken.delete(socket));
    return true;
  }

  clear(): void {
    for (const socket of this.#taken) socket.destroy();
  }
}

const digest = (text: string) => createHash("sha256").update(text).digest();
