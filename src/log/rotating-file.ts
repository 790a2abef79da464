import {
  closeSync,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { IchainError } from "../errors/error.ts";

export interface Rotation {
  /** Size at which a file is put aside, bytes. */
  readonly maxBytes: number;
  /** How many old files stay: `path.1`, the newest of them, to `path.N`. */
  readonly keep: number;
}

/** 50 MiB in all: months of a provider at level `info`. */
const ROTATION: Rotation = { maxBytes: 10 * 2 ** 20, keep: 4 };

/**
 * A file of lines, readable by its owner only, that takes at most `maxBytes` times `keep + 1` of the disk. pino leaves
 * rotation to other programs, and pino-roll writes from a thread, whose last lines are lost when the process ends.
 */
export class RotatingFile implements Disposable {
  readonly #path: string;
  readonly #rotation: Rotation;
  #file: { readonly descriptor: number; bytes: number } | undefined;

  /** @throws LOG_UNWRITABLE when the file cannot be opened */
  constructor(path: string, rotation: Rotation = ROTATION) {
    this.#path = path;
    this.#rotation = rotation;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      this.#file = this.#open();
    } catch (cause) {
      throw new IchainError("LOG_UNWRITABLE", `The log ${path} cannot be written.`, { cause });
    }
  }

  /** Appends a line, newline included. A line that cannot be written is lost: no job fails because of its log. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    try {
      this.#file ??= this.#open();
      if (this.#file.bytes > 0 && this.#file.bytes + bytes.length > this.#rotation.maxBytes) this.#rotate();
      this.#file ??= this.#open();
      this.#file.bytes += writeSync(this.#file.descriptor, bytes);
    } catch {
      // The disk is full or fails, which what depends on the disk reports.
    }
  }

  [Symbol.dispose](): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) closeSync(file.descriptor);
  }

  #open(): { descriptor: number; bytes: number } {
    const descriptor = openSync(this.#path, "a", 0o600);
    fchmodSync(descriptor, 0o600);
    return { descriptor, bytes: fstatSync(descriptor).size };
  }

  #rotate(): void {
    this[Symbol.dispose]();
    const { keep } = this.#rotation;
    const name = (n: number) => (n === 0 ? this.#path : `${this.#path}.${n}`);
    rmSync(name(keep), { force: true });
    for (let n = keep - 1; n >= 0; n--) {
      try {
        renameSync(name(n), name(n + 1));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    }
  }
}
