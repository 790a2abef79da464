import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * One answer at a time on a connection, however many requests are pipelined. A reader sends the next request as soon as
 * it has the last byte, which may be before the answer counts as finished here: so one request may wait, and nothing
 * is opened for it. A second one cuts the connection: ichain's readers never send it, and a request costs the server
 * more than its sender.
 */
export class RequestQueue {
  /** For each connection with an answer under way: the request that waits, if any. */
  readonly #next = new WeakMap<Socket, (() => void) | undefined>();

  /** Calls `begin` once every answer before `response` has been sent, if the connection is still open then. */
  enqueue(socket: Socket, response: ServerResponse, begin: () => void): void {
    if (!this.#next.has(socket)) this.#begin(socket, response, begin);
    else if (this.#next.get(socket)) socket.destroy();
    else this.#next.set(socket, () => this.#begin(socket, response, begin));
  }

  #begin(socket: Socket, response: ServerResponse, begin: () => void): void {
    this.#next.set(socket, undefined);
    response.once("close", () => {
      const next = this.#next.get(socket);
      this.#next.delete(socket);
      if (socket.writable) next?.();
    });
    begin();
  }
}
