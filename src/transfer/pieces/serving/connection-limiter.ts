import type { Socket } from "node:net";
import { UNAUTHENTICATED_MS } from "./limits.ts";

/**
 * Bounds the number of open connections so that connections without a token cannot lock readers out: at the limit, the
 * connection that has been open longest without showing a token is cut first.
 */
export class ConnectionLimiter {
  readonly #most: number;
  readonly #unauthenticated = new Map<Socket, NodeJS.Timeout>();
  /** Requests of each connection that has shown a token. */
  readonly #authenticated = new Map<Socket, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Counts a new connection, or cuts it when readers already have all of them. */
  admit(socket: Socket): void {
    if (this.#unauthenticated.size + this.#authenticated.size >= this.#most) {
      const [oldest] = this.#unauthenticated.keys();
      if (!oldest) return void socket.destroy();
      this.#forget(oldest);
      oldest.destroy();
    }
    this.#unauthenticated.set(
      socket,
      setTimeout(() => socket.destroy(), UNAUTHENTICATED_MS),
    );
    socket.once("close", () => this.#forget(socket));
  }

  /** Notes that the connection has shown a token with a request; returns how many such requests it has made. */
  countRequest(socket: Socket): number {
    const requests = (this.#authenticated.get(socket) ?? 0) + 1;
    this.#forget(socket);
    // A socket that is closed already emits no further `close`: it would be counted until the server closes.
    if (!socket.destroyed) this.#authenticated.set(socket, requests);
    return requests;
  }

  /** Cuts every connection. */
  clear(): void {
    for (const socket of [...this.#unauthenticated.keys(), ...this.#authenticated.keys()]) socket.destroy();
  }

  #forget(socket: Socket): void {
    clearTimeout(this.#unauthenticated.get(socket));
    this.#unauthenticated.delete(socket);
    this.#authenticated.delete(socket);
  }
}
