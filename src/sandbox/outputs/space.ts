import type { AbortOptions } from "../../async/abort.ts";

/** The room that a task has for its outputs: what is behind its /out. It outlives the container. */
export interface OutputSpace {
  /** Folder on this machine that is mounted at /out. */
  readonly dir: string;
  /** How often somebody must look whether it is full, milliseconds; undefined where its cap binds by itself. */
  readonly pollMs?: number;
  /** Removes what an earlier run left and makes the bare folder. */
  clear(): Promise<void>;
  /** Makes it ready to be written to, empty, after `clear`. Throws `SANDBOX_UNSUPPORTED` or `SANDBOX_DISK_FULL`. */
  create(capBytes: number, options?: AbortOptions): Promise<void>;
  /** Brings it back as a reboot may have left it; false when there is none. */
  restore(options?: AbortOptions): Promise<boolean>;
  /** True when the task has used up its space or its files. */
  isFull(capBytes: number): Promise<boolean>;
  /** Nothing in it can be changed any more, where this machine can see to that. */
  seal(options?: AbortOptions): Promise<void>;
  /** Removes whatever of it is there. */
  destroy(): Promise<void>;
}
