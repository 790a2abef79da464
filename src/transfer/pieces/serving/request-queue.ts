import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * One answer at a time on a connection, whatever is sent ahead. A reader asks again as soon as it has the last byte,
 * and that may be before we know: so one request may wait, with nothing opened for it. At a second one the
 * connection is cut, for no reader of ours sends it, and requests cost us more than whoever sends them.
 */
export class RequestQueue {
  /** For each connection with an answer under way: what begins after it. */
  readonly #next = new WeakMap<Socket, (() => void) | undefined>();

  /** Calls `begin` when every answer before `response` is out, if the connection bears one more then. */
  take(socket: Socket, response: ServerResponse, begin: () => void): void {
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
