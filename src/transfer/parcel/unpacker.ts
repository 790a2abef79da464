import { createHash, type Hash } from "node:crypto";
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { toHex } from "../../protocol/bytes.ts";
import type { Hex } from "../../protocol/ids.ts";
import type { Manifest } from "../../protocol/parcel/manifest.ts";
import { quotePath } from "../../protocol/parcel/paths.ts";
import { writeAll } from "../files.ts";
import { parcelFault } from "./errors.ts";
import { ARCHIVE_END, entryHeader, paddingOf } from "./format/archive.ts";
import { SMALL_FILE, sha256 } from "./input/input.ts";

type Entry = Manifest["files"][number];
type Current = { readonly file: FileHandle; readonly entry: Entry; readonly hash: Hash; left: number };

const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Writes the files of a checked manifest below `folder` from the archive's bytes, which must be those that the manifest
 * implies. Creates only what the manifest names, with modes 0600 and 0700: what was encrypted in transit must not become
 * readable for other local users.
 */
export class Unpacker {
  readonly #folder: string;
  readonly #entries: Iterator<Entry>;
  readonly #folders = new Set<string>(["."]);
  /** Bytes that must come next: a header, padding or the end. */
  #expected: Uint8Array = new Uint8Array(0);
  #upcoming: Entry | undefined;
  #current: Current | undefined;
  #ended = false;

  constructor(folder: string, files: readonly Entry[]) {
    this.#folder = folder;
    this.#entries = files.values();
  }

  /**
   * Writes the next bytes of the archive.
   * @throws PARCEL_MALFORMED, PARCEL_CORRUPT; the file system's error
   */
  async write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0; ) {
      if (this.#expected.length > 0) rest = this.#match(rest);
      else if (this.#current) rest = await this.#content(this.#current, rest);
      else if (!this.#next())
        throw parcelFault("PARCEL_MALFORMED", "The parcel's archive continues after its end.");
      if (this.#expected.length === 0 && this.#upcoming) rest = await this.#begin(this.#upcoming, rest);
    }
  }

  /** @throws PARCEL_MALFORMED unless the archive is complete */
  finish(): void {
    if (!this.#ended || this.#expected.length > 0) {
      throw parcelFault("PARCEL_MALFORMED", "The parcel's archive ends too soon.");
    }
  }

  /** Closes the file being written, if any; also to be called after a failure. */
  async close(): Promise<void> {
    const { file } = this.#current ?? {};
    this.#current = undefined;
    await file?.close();
  }

  #next(): boolean {
    if (this.#ended) return false;
    const next = this.#entries.next();
    this.#ended = next.done === true;
    this.#upcoming = next.done ? undefined : next.value;
    this.#expected = next.done ? new Uint8Array(ARCHIVE_END) : entryHeader(next.value);
    return true;
  }

  #match(bytes: Uint8Array): Uint8Array {
    const length = Math.min(bytes.length, this.#expected.length);
    if (Buffer.compare(bytes.subarray(0, length), this.#expected.subarray(0, length)) !== 0) {
      throw parcelFault("PARCEL_MALFORMED", "The parcel's archive is not the one its manifest describes.");
    }
    this.#expected = this.#expected.subarray(length);
    return bytes.subarray(length);
  }

  /** Creates the file of `entry`, whose content begins `rest`; returns the bytes not written yet. */
  async #begin(entry: Entry, rest: Uint8Array): Promise<Uint8Array> {
    this.#upcoming = undefined;
    const parent = dirname(entry.path);
    if (!this.#folders.has(parent)) {
      await mkdir(join(this.#folder, parent), { recursive: true, mode: 0o700 });
      this.#folders.add(parent);
    }
    const path = join(this.#folder, entry.path);
    const mode = entry.executable ? 0o700 : 0o600;
    if (entry.size <= Math.min(SMALL_FILE, rest.length)) {
      const content = rest.subarray(0, entry.size);
      createSmall(path, content, mode);
      this.#done(entry, sha256(content));
      return rest.subarray(entry.size);
    }
    const file = await open(path, FLAGS, mode);
    this.#current = { file, entry, hash: createHash("sha256"), left: entry.size };
    return rest;
  }

  async #content(current: Current, bytes: Uint8Array): Promise<Uint8Array> {
    const part = bytes.subarray(0, Math.min(bytes.length, current.left));
    const writing = writeAll(current.file, part);
    current.hash.update(part);
    await writing;
    current.left -= part.length;
    if (current.left === 0) {
      await this.close();
      this.#done(current.entry, toHex(current.hash.digest()));
    }
    return bytes.subarray(part.length);
  }

  #done(entry: Entry, hash: Hex): void {
    if (hash !== entry.hash) {
      throw parcelFault("PARCEL_CORRUPT", `${quotePath(entry.path)} does not match the parcel's manifest.`);
    }
    this.#expected = new Uint8Array(paddingOf(entry.size));
  }
}

function createSmall(path: string, content: Uint8Array, mode: number): void {
  const fd = openSync(path, FLAGS, mode);
  try {
    for (let done = 0; done < content.length; ) done += writeSync(fd, content, done);
  } finally {
    closeSync(fd);
  }
}
