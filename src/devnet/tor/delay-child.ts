// Forwards TCP with a delay in each direction, in a process of its own, so that it takes no time from the event loop of
// the reader or the host under test. Ends with its parent.
import { connect, createServer, type Socket } from "node:net";
import type { DelayOrder } from "./delay.ts";

/** Most bytes buffered in one direction: without a bound the sender never notices a slow reader. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;
/** Chunks are released in batches: tor itself writes no more often. */
const BATCH_MS = 5;

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
    // What was sent before the end is still delivered; only a broken connection breaks the other.
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
    const due = this.#queue.findIndex((entry) => entry.due > now);
    if (due === 0 || this.#queue.length === 0) return;
    // One system call for the whole batch.
    this.#to.cork();
    for (const { chunk } of this.#queue.splice(0, due < 0 ? this.#queue.length : due)) {
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
    if (this.#bytes > MAX_BUFFERED_BYTES) this.#from.pause();
  }
}

setInterval(() => {
  const now = performance.now();
  for (const direction of directions) direction.release(now);
}, BATCH_MS);

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
