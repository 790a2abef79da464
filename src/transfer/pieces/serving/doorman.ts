import type { Socket } from "node:net";
import { STRANGER_MS } from "./limits.ts";

/**
 * Keeps the number of open connections bounded without letting strangers lock readers out: when it is
 * full, the connection that has waited longest without showing the token goes first.
 */
export class Doorman {
  readonly #most: number;
  readonly #strangers = new Map<Socket, NodeJS.Timeout>();
  readonly #known = new Set<Socket>();

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

  /** The connection has shown the token. */
  recognise(socket: Socket): void {
    if (!this.#strangers.has(socket)) return;
    this.#forget(socket);
    this.#known.add(socket);
  }

  /** Cuts every connection. */
  clear(): void {
    for (const socket of [...this.#strangers.keys(), ...this.#known]) socket.destroy();
  }

  #forget(socket: Socket): void {
    clearTimeout(this.#strangers.get(socket));
    this.#strangers.delete(socket);
    this.#known.delete(socket);
  }
}
