import type { AbortOptions } from "../../async/abort.ts";

/** The storage behind a task's /out. It outlives the container. */
export interface OutputSpace {
  /** Folder on this machine that is mounted at /out. */
  readonly dir: string;
  /** How often `isFull` must be asked while the task runs, milliseconds; undefined where the filesystem enforces the cap. */
  readonly pollMs?: number;
  /** Removes what an earlier run left and makes the empty folder. */
  clear(): Promise<void>;
  /**
   * Makes it ready to be written to, after `clear`.
   * @throws SANDBOX_UNSUPPORTED, SANDBOX_DISK_FULL
   */
  create(capBytes: number, options?: AbortOptions): Promise<void>;
  /** Mounts it again where a reboot has unmounted it; false when there is none or its content is not complete. */
  restore(options?: AbortOptions): Promise<boolean>;
  /** Whether the task has used up its bytes or its number of files. */
  isFull(capBytes: number): Promise<boolean>;
  /** Makes it read-only, where this machine can enforce that. */
  seal(options?: AbortOptions): Promise<void>;
  /** Removes all of it that exists; no error when nothing does. */
  destroy(): Promise<void>;
}
