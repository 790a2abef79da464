// A process of its own, so that its work is not taken from the reader's or the host's: forwards TCP with
// a delay in each direction. Ends with its parent.
import { connect, createServer, type Socket } from "node:net";
import type { DelayOrder } from "./delay.ts";

/** Bytes under way in one direction; more would hide a slow reader from the sender for ever. */
const MOST_UNDER_WAY = 16 * 1024 * 1024;
/** Chunks are released in batches: tor itself writes no more often. */
const GRAIN_MS = 5;

let delayMs = 0;
const directions = new Set<Direction>();

/** Everything that came from `from` reaches `to` `delayMs` later. */
class Direction {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #queue: { readonly due: number; readonly chunk: Buffer | undefined }[] = [];
  #bytes = 0;

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
    directions.add(this);
    from.on("data", (chunk) => this.#push(chunk));
    from.once("end", () => this.#push(undefined));
    // What was said before the end is still on its way; only a broken connection breaks the other.
    from.once("error", () => to.destroy());
    to.once("error", () => from.destroy());
    from.once("close", () => !from.readableEnded && to.destroy());
    to.once("close", () => {
      directions.delete(this);
      if (!to.writableFinished) from.destroy();
    });
    to.on("drain", () => from.resume());
  }

  release(now: number): void {
    const ripe = this.#queue.findIndex(({ due }) => due > now);
    if (ripe === 0 || this.#queue.length === 0) return;
    // One system call for the whole batch.
    this.#to.cork();
    for (const { chunk } of this.#queue.splice(0, ripe < 0 ? this.#queue.length : ripe)) {
      if (chunk === undefined) {
        this.#to.end();
        continue;
      }
      this.#bytes -= chunk.length;
      this.#to.write(chunk);
    }
    this.#to.uncork();
    if (this.#to.writableNeedDrain) this.#from.pause();
    else this.#from.resume();
  }

  #push(chunk: Buffer | undefined): void {
    this.#queue.push({ due: performance.now() + delayMs, chunk });
    this.#bytes += chunk?.length ?? 0;
    if (this.#bytes > MOST_UNDER_WAY) this.#from.pause();
  }
}

setInterval(() => {
  const now = performance.now();
  for (const direction of directions) direction.release(now);
}, GRAIN_MS);

process.on("message", async (order: DelayOrder) => {
  delayMs = order.delayMs;
  const listening = order.forwards.map(async ({ host, port, to }) => {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
      const far = connect({ host, port: to, noDelay: true, allowHalfOpen: true });
      new Direction(near, far);
      new Direction(far, near);
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen({ host, port }, resolve);
    await promise;
  });
  await Promise.all(listening);
  process.send?.("listening");
});
process.once("disconnect", () => process.exit(0));
