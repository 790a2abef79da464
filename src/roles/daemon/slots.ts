import { type Abortable, onAbort } from "../../async/abort.ts";
import { bytesText } from "../../protocol/quantity.ts";

type Waiting = Abortable & {
  /** Had what it asks for before a restart, with a stake at risk, and gets it at once. */
  readonly atRisk?: boolean;
};

/** Limits how many jobs use the machine at once. */
export interface Slots {
  /** Resolves with a place once one is free, in the order of the calls. */
  take(options: Waiting): Promise<Place>;
  /** From now on there are `count` places; work that has one keeps it. */
  resize(count: number): void;
}

/** One of the machine's places; disposing gives it back, with what was held in it. */
export interface Place extends Disposable {
  /**
   * Resolves once the machine has so much free beside what other places hold, in the order of the calls. Once a place.
   * `onWait` is called where that is not the case yet.
   */
  hold(share: Share, options: Waiting & { readonly onWait?: () => void }): Promise<void>;
}

/** What a job may use of a machine at once, beside its GPUs, which are reserved one by one. */
export interface Share {
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
}

/** What people are shown of a job whose share is in use. */
export function waitText({ cpus, memory }: Share): string {
  return `Waiting for ${cpus} ${cpus === 1 ? "CPU" : "CPUs"} and ${bytesText(memory)}: other jobs use them`;
}

/** What of a machine the places of all its roles hold together. */
export interface Machine {
  hold(share: Share, options: Waiting & { readonly onWait?: () => void }): Promise<Disposable>;
}

/** Of this size; what is larger is held alone. */
export function openMachine(size: Share): Machine {
  let [cpus, memory, holders] = [0, 0, 0];
  const queue = openQueue();
  return {
    async hold(share, { signal, atRisk = false, onWait }) {
      const add = (sign: 1 | -1): void => {
        cpus += sign * share.cpus;
        memory += sign * share.memory;
        holders += sign;
      };
      const begin = () => {
        const fits = cpus + share.cpus <= size.cpus && memory + share.memory <= size.memory;
        if (!fits && holders > 0) return false;
        add(1);
        return true;
      };
      signal.throwIfAborted();
      if (atRisk) add(1);
      else await queue.enter(begin, signal, onWait);
      return disposedOnce(() => {
        add(-1);
        queue.advance();
      });
    },
  };
}

const UNBOUNDED: Share = { cpus: Number.POSITIVE_INFINITY, memory: Number.POSITIVE_INFINITY };

/** `count` places on `machine`. */
export function openSlots(count: number, machine: Machine = openMachine(UNBOUNDED)): Slots {
  let free = count; // below zero while more work is at risk than there are places
  let places = count;
  const queue = openQueue();
  const begin = () => {
    if (free <= 0) return false;
    free -= 1;
    return true;
  };
  const add = (more: number): void => {
    free += more;
    queue.advance();
  };
  return {
    resize(wanted) {
      const more = wanted - places;
      places = wanted;
      add(more);
    },
    async take({ signal, atRisk = false }) {
      signal.throwIfAborted();
      if (atRisk) free -= 1;
      else await queue.enter(begin, signal);
      const held = new DisposableStack();
      held.use(disposedOnce(() => add(1)));
      return {
        hold: async (share, options) => void held.use(await machine.hold(share, options)),
        [Symbol.dispose]: () => held.dispose(),
      };
    },
  };
}

interface Queue {
  /** Resolves once `begin` returns true; it is asked when all before it have begun, and again at each `advance`. */
  enter(begin: () => boolean, signal: AbortSignal, onWait?: () => void): Promise<void>;
  advance(): void;
}

/** Nobody passes those who wait for more: a large job would never begin beside small ones. */
function openQueue(): Queue {
  const waiting: { readonly begin: () => boolean; readonly begun: () => void }[] = [];
  const advance = (): void => {
    while (waiting[0]?.begin()) waiting.shift()?.begun();
  };
  return {
    advance,
    async enter(begin, signal, onWait) {
      if (waiting.length === 0 && begin()) return;
      onWait?.();
      const turn = Promise.withResolvers<void>();
      const one = { begin, begun: turn.resolve };
      using _ = onAbort(signal, (reason) => {
        const at = waiting.indexOf(one);
        if (at === -1) return; // its turn has just come
        waiting.splice(at, 1);
        turn.reject(reason);
        advance();
      });
      waiting.push(one);
      await turn.promise;
    },
  };
}

function disposedOnce(end: () => void): Disposable {
  let held = true;
  return {
    [Symbol.dispose]() {
      if (held) end();
      held = false;
    },
  };
}
