import { createHash, type Hash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { toHex } from "../../protocol/bytes.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { quotePath } from "../../protocol/paths.ts";
import { parcelFault } from "./errors.ts";
import { ARCHIVE_END, entryHeader, paddingOf } from "./format/archive.ts";

type Entry = Manifest["files"][number];
type Current = { readonly file: FileHandle; readonly entry: Entry; readonly hash: Hash; left: number };

const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Writes the files of a checked manifest below `folder` from the archive's bytes, which must be those
 * that the manifest implies. Creates nothing that the manifest does not name.
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

  async write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0; ) {
      if (this.#expected.length > 0) rest = this.#match(rest);
      else if (this.#current) rest = await this.#content(this.#current, rest);
      else if (!this.#next())
        throw parcelFault("PARCEL_MALFORMED", "The parcel's archive goes on after its end.");
      if (this.#expected.length === 0 && this.#upcoming) await this.#create(this.#upcoming);
    }
  }

  /** Throws unless the archive is complete. */
  finish(): void {
    if (!this.#ended || this.#expected.length > 0) {
      throw parcelFault("PARCEL_MALFORMED", "The parcel's archive ends too soon.");
    }
  }

  /** Closes the file being written, if any; for failures too. */
  async close(): Promise<void> {
    await this.#current?.file.close();
    this.#current = undefined;
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

  async #create(entry: Entry): Promise<void> {
    this.#upcoming = undefined;
    const parent = dirname(entry.path);
    if (!this.#folders.has(parent)) {
      await mkdir(join(this.#folder, parent), { recursive: true });
      this.#folders.add(parent);
    }
    const file = await open(join(this.#folder, entry.path), FLAGS, entry.executable ? 0o755 : 0o644);
    this.#current = { file, entry, hash: createHash("sha256"), left: entry.size };
    if (entry.size === 0) await this.#done(this.#current);
  }

  async #content(current: Current, bytes: Uint8Array): Promise<Uint8Array> {
    const part = bytes.subarray(0, Math.min(bytes.length, current.left));
    const writing = writeAll(current.file, part);
    current.hash.update(part);
    await writing;
    current.left -= part.length;
    if (current.left === 0) await this.#done(current);
    return bytes.subarray(part.length);
  }

  async #done({ file, entry, hash }: Current): Promise<void> {
    this.#current = undefined;
    await file.close();
    if (toHex(hash.digest()) !== entry.hash) {
      throw parcelFault("PARCEL_CORRUPT", `${quotePath(entry.path)} is not what the parcel's manifest says.`);
    }
    this.#expected = new Uint8Array(paddingOf(entry.size));
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0; ) rest = rest.subarray((await file.write(rest)).bytesWritten);
}
