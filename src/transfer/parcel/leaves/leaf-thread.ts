import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { toHex } from "../../../protocol/bytes.ts";
import { merkleRoot } from "../../merkle.ts";
import { freeBuffer, memoryOf, memoryOfAll } from "../free-buffer.ts";
import type { Leaves } from "./hasher.ts";
import type { Answer, Order } from "./leaf-thread-child.ts";

/** Orders that may wait for the thread, each with the parts of one message. */
const AHEAD = 1;
/** With this module's extension: the sources or the build. */
const script = new URL(`./leaf-thread-child${extname(import.meta.url)}`, import.meta.url);

/** `Leaves` of which a thread of its own does the work. */
export class LeafThread implements Leaves {
  readonly #worker: Worker;
  readonly #leaves: Uint8Array[];
  /** One for each order without an answer yet. */
  readonly #pending: PromiseWithResolvers<Answer>[] = [];
  #failure: unknown;

  constructor(known: readonly Uint8Array[]) {
    this.#leaves = [...known];
    this.#worker = new Worker(script, { env: {}, execArgv: [] });
    this.#worker.on("message", (answer: Answer) => {
      this.#leaves.push(...answer.leaves);
      for (const part of answer.hashed) freeBuffer(part);
      this.#pending.shift()?.resolve(answer);
    });
    this.#worker.once("error", (error) => this.#fail(error));
  }

  async update(parts: readonly Uint8Array[]): Promise<void> {
    // Small parts are copied: their memory may be others' too.
    const own = parts.map((part) => (memoryOf(part) ? part : Uint8Array.from(part)));
    void this.#order(own, memoryOfAll(parts));
    await this.#pending.at(-1 - AHEAD)?.promise;
  }

  async settle() {
    const { last } = await this.#order("settle");
    const leaves = [...this.#leaves];
    return { leaves, root: toHex(merkleRoot(last ? [...leaves, last] : leaves)) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  #order(order: Order, memory: ArrayBuffer[] = []): Promise<Answer> {
    const answered = Promise.withResolvers<Answer>();
    answered.promise.catch(() => {}); // `settle`, with which every use ends, throws it
    if (this.#failure === undefined) {
      this.#pending.push(answered);
      this.#worker.postMessage(order, memory);
    } else answered.reject(this.#failure);
    return answered.promise;
  }

  #fail(error: unknown): void {
    this.#failure = error;
    for (const { reject } of this.#pending.splice(0)) reject(error);
  }
}
