import type { Socket } from "node:net";
import { STRANGER_MS } from "./limits.ts";

/**
 * Keeps the number of open connections bounded without letting strangers lock readers out: when it is
 * full, the connection that has waited longest without showing the token goes first.
 */
export class ConnectionLimiter {
  readonly #most: number;
  readonly #strangers = new Map<Socket, NodeJS.Timeout>();
  /** Requests of each connection that has shown the token. */
  readonly #known = new Map<Socket, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Admits a new connection as a stranger, or cuts it when readers fill every place. */
  admit(socket: Socket): void {
    if (this.#strangers.size + this.#known.size >= this.#most) {
      const [oldest] = this.#strangers.keys();
      if (!oldest) return void socket.destroy();
      this.#forget(oldest);
      oldest.destroy();
    }
    this.#strangers.set(
      socket,
      setTimeout(() => socket.destroy(), STRANGER_MS),
    );
    socket.once("close", () => this.#forget(socket));
  }

  /** The connection has shown the token with a request; returns how many it has made so. */
  recognise(socket: Socket): number {
    const requests = (this.#known.get(socket) ?? 0) + 1;
    this.#forget(socket);
    // A socket that is closed already will not say so again: its place would never be given back.
    if (!socket.destroyed) this.#known.set(socket, requests);
    return requests;
  }

  /** Cuts every connection. */
  clear(): void {
    for (const socket of [...this.#strangers.keys(), ...this.#known.keys()]) socket.destroy();
  }

  #forget(socket: Socket): void {
    clearTimeout(this.#strangers.get(socket));
    this.#strangers.delete(socket);
    this.#known.delete(socket);
  }
}
