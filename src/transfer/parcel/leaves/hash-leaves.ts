import { LeafHasher, type Leaves } from "./hasher.ts";
import { LeafThread } from "./leaf-thread.ts";

/** Fewer bytes are hashed before a thread would have started. */
export const THREAD_BYTES = 32 << 20;

/**
 * Hashes some `bytes` bytes, after pieces whose hashes are `known`. This hash takes a quarter of the time of a pack: that
 * of a large blob has a thread of its own.
 */
export function hashLeaves(bytes: number, known: readonly Uint8Array[] = []): Leaves {
  return bytes < THREAD_BYTES ? hashHere(known) : new LeafThread(known);
}

function hashHere(known: readonly Uint8Array[]): Leaves {
  const hasher = new LeafHasher(known);
  return {
    async update(parts) {
      for (const part of parts) hasher.update(part);
    },
    settle: async () => ({ leaves: [...hasher.leaves], root: hasher.root() }),
    async [Symbol.asyncDispose]() {},
  };
}
