import { createHash } from "node:crypto";
import { toHex } from "../../../protocol/bytes.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { quotePath } from "../../../protocol/parcel/paths.ts";
import { inputChanged } from "../errors.ts";
import { ARCHIVE_END, entryHeader, paddingOf, SLICE_BYTES } from "../format/archive.ts";
import { checkUnchanged, openInput, readSmall, SMALL_FILE, sha256 } from "./input.ts";
import type { InputFile } from "./walk.ts";

export interface Slice {
  readonly index: number;
  /** A view into a buffer that is overwritten after `release`. */
  readonly bytes: Uint8Array;
  release(): void;
}

/**
 * The archive of `files` in slices of `SLICE_BYTES`. Writes the SHA-256 of each file to `hashes`, by its index, once
 * the file is read; files with a hash there that end before slice `from` are not read again.
 * @throws PARCEL_INPUT_CHANGED, PARCEL_INPUT_MISSING; the signal's reason
 */
export async function* archiveSlices(
  files: readonly InputFile[],
  hashes: Hex[],
  options: { from?: number | undefined; signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Slice> {
  const start = (options.from ?? 0) * SLICE_BYTES;
  const free: Buffer[] = [];
  let index = options.from ?? 0;
  let slice: Buffer = Buffer.allocUnsafe(SLICE_BYTES);
  let filled = 0;
  /** Offset in the archive; before `start` while files that were packed earlier are skipped. */
  let position = 0;

  const full = (): Slice => {
    const [buffer, length] = [slice, filled];
    slice = free.pop() ?? Buffer.allocUnsafe(SLICE_BYTES);
    filled = 0;
    return { index: index++, bytes: buffer.subarray(0, length), release: () => void free.push(buffer) };
  };

  const put = function* (bytes: Uint8Array): Generator<Slice> {
    const skip = Math.min(bytes.length, Math.max(0, start - position));
    position += bytes.length;
    for (let rest = bytes.subarray(skip); rest.length > 0; ) {
      const part = rest.subarray(0, SLICE_BYTES - filled);
      slice.set(part, filled);
      filled += part.length;
      rest = rest.subarray(part.length);
      if (filled === SLICE_BYTES) yield full();
    }
  };

  for (const [i, file] of files.entries()) {
    const header = entryHeader(file);
    const whole = header.length + file.size + paddingOf(file.size);
    if (hashes[i] !== undefined && position + whole <= start) {
      position += whole;
      continue;
    }
    yield* put(header);
    if (file.size <= SMALL_FILE) {
      const content = readSmall(file);
      hashes[i] = sha256(content);
      yield* put(content);
      yield* put(new Uint8Array(paddingOf(file.size)));
      continue;
    }
    const hash = createHash("sha256");
    const handle = await openInput(file);
    try {
      let left = file.size;
      while (left > 0) {
        options.signal?.throwIfAborted();
        // Bytes before `start` are only hashed; `start` is the beginning of a slice.
        const behind = Math.max(0, start - position);
        const room = behind > 0 ? Math.min(behind, SLICE_BYTES) : SLICE_BYTES - filled;
        const at = behind > 0 ? 0 : filled;
        const { bytesRead } = await handle.read(slice, at, Math.min(room, left), file.size - left);
        if (bytesRead === 0) throw inputChanged(quotePath(file.path));
        hash.update(slice.subarray(at, at + bytesRead));
        left -= bytesRead;
        position += bytesRead;
        if (behind > 0) continue;
        filled += bytesRead;
        if (filled === SLICE_BYTES) yield full();
      }
      await checkUnchanged(handle, file);
    } finally {
      await handle.close();
    }
    hashes[i] = toHex(hash.digest());
    yield* put(new Uint8Array(paddingOf(file.size)));
  }
  yield* put(new Uint8Array(ARCHIVE_END));
  if (filled > 0) yield full();
}
