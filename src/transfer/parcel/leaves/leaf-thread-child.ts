// The thread of a `LeafThread`: hashes what it is sent, in order, and answers each order.
import { parentPort } from "node:worker_threads";
import { freeBuffer } from "../free-buffer.ts";
import { LeafHasher } from "./hasher.ts";

/** What the thread is told: parts to hash, or to answer with what is new. */
export type Order = readonly Uint8Array[] | "settle";

/** Its answer to either; `leaves`: hashes of pieces completed since the answer before. */
export interface Answer {
  readonly leaves: readonly Uint8Array[];
  /** Hash of the piece that is not whole yet; absent in the answer to parts. */
  readonly last?: Uint8Array | undefined;
}

const hasher = new LeafHasher();
let told = 0;

parentPort?.on("message", (order: Order) => {
  const settling = order === "settle";
  for (const part of settling ? [] : order) {
    hasher.update(part);
    freeBuffer(part);
  }
  const leaves = hasher.leaves.slice(told);
  told = hasher.leaves.length;
  parentPort?.postMessage({ leaves, last: settling ? hasher.last : undefined } satisfies Answer);
});
