import type { Abortable } from "../../async/abort.ts";
/** Places for work that takes up the machine. */
export interface Slots {
  /**
   * Resolves with a place once one is free, in the order of the calls; disposing gives it back. Work that is `owed`
   * (a stake is at risk for it) was let in before a restart and waits for nobody.
   */
  take(options: Abortable & { owed?: boolean }): Promise<Disposable>;
}

/** `count` places. */
export function openSlots(count: number): Slots {
  let free = count; // below zero while more is owed than there are places
  const queue: (() => void)[] = [];

  function giveBack(): void {
    free += 1;
    while (free > 0 && queue.length > 0) queue.shift()?.();
  }

  function turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        free -= 1;
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        queue.splice(queue.indexOf(begin), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      queue.push(begin);
    });
  }

  return {
    async take({ signal, owed = false }) {
      signal.throwIfAborted();
      if (owed || (free > 0 && queue.length === 0)) free -= 1;
      else await turn(signal);
      let held = true;
      return {
        [Symbol.dispose]() {
          if (held) giveBack();
          held = false;
        },
      };
    },
  };
}
