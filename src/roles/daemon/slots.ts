import { type Abortable, onAbort } from "../../async/abort.ts";

/** Limits how many jobs use the machine at once. */
export interface Slots {
  /**
   * Resolves with a place once one is free, in the order of the calls; disposing gives it back. Work with a stake
   * `atRisk` had a place before a restart and gets one at once.
   */
  take(options: Abortable & { atRisk?: boolean }): Promise<Disposable>;
  /** From now on there are `count` places; work that has one keeps it. */
  resize(count: number): void;
}

/** `count` places. */
export function openSlots(count: number): Slots {
  let free = count; // below zero while more work is at risk than there are places
  let places = count;
  const queue: (() => void)[] = [];

  function add(more: number): void {
    free += more;
    while (free > 0 && queue.length > 0) queue.shift()?.();
  }

  async function nextPlace(signal: AbortSignal): Promise<void> {
    const turn = Promise.withResolvers<void>();
    const begin = () => {
      free -= 1;
      turn.resolve();
    };
    using _ = onAbort(signal, (reason) => {
      const at = queue.indexOf(begin);
      if (at !== -1) queue.splice(at, 1); // else its turn has just come
      turn.reject(reason);
    });
    queue.push(begin);
    await turn.promise;
  }

  return {
    resize(wanted) {
      const more = wanted - places;
      places = wanted;
      add(more);
    },
    async take({ signal, atRisk = false }) {
      signal.throwIfAborted();
      if (atRisk || (free > 0 && queue.length === 0)) free -= 1;
      else await nextPlace(signal);
      let held = true;
      return {
        [Symbol.dispose]() {
          if (held) add(1);
          held = false;
        },
      };
    },
  };
}
