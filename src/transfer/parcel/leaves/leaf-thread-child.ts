// The thread of a `LeafThread`: hashes what it is sent, in order, and answers each order. It imports little, because each
// thread loads its modules again: ethers alone would take a third of a second and 25 MiB.
import { parentPort } from "node:worker_threads";
import { memoryOf, memoryOfAll } from "../free-buffer.ts";
import { LeafHasher } from "./hasher.ts";

/** What the thread is told: parts to hash, or to answer with what is new. */
export type Order = readonly Uint8Array[] | "settle";

/** Its answer to either; `leaves`: hashes of pieces completed since the answer before. */
export interface Answer {
  readonly leaves: readonly Uint8Array[];
  /** Hash of the piece that is not whole yet; absent in the answer to parts. */
  readonly last?: Uint8Array | undefined;
  /** Parts whose memory goes back: freed by another thread, it would have to be fetched from the kernel again. */
  readonly hashed: readonly Uint8Array[];
}

const hasher = new LeafHasher();
let told = 0;

parentPort?.on("message", (order: Order) => {
  const settling = order === "settle";
  const parts = settling ? [] : order;
  for (const part of parts) hasher.update(part);
  const leaves = hasher.leaves.slice(told);
  told = hasher.leaves.length;
  const hashed = parts.filter((part) => memoryOf(part) !== undefined);
  const answer: Answer = { leaves, last: settling ? hasher.last : undefined, hashed };
  parentPort?.postMessage(answer, memoryOfAll(hashed));
});
