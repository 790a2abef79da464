import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { IchainError } from "../../../errors/error.ts";
import {
  CHUNK,
  type ChunkRange,
  sizeOfChunk,
  type UpdateSource,
} from "../../../protocol/federated/codec/chunk.ts";
import { decodeHeader, HEADER_BYTES, refuseUpdate } from "../../../protocol/federated/codec/header.ts";
import { chunkBytes, readChunk, updateBytes } from "../../../protocol/federated/codec/update.ts";
import {
  chunkFromBytes,
  chunkToBytes,
  type VectorSink,
  type VectorSource,
} from "../../../protocol/federated/vector.ts";

/** Most chunks that are read or written at once. */
const WINDOW = 64;

/**
 * Updates and vectors in files, read a few chunks at a time, so that memory does not grow with the model. A vector's file
 * holds its values as i64 in units of 2^-24, little-endian, as its digest does.
 */
export class ChunkFiles implements Disposable {
  readonly #open: number[] = [];
  readonly #pending: (() => void)[] = [];
  readonly #window: number;

  /** @param range the chunks that will be read or written */
  constructor({ from, to }: ChunkRange) {
    this.#window = Math.min(WINDOW, to - from);
  }

  /**
   * A stranger's update, of which length and size are checked here and each chunk as it is read.
   * @throws UPDATE_INVALID
   */
  update(path: string, length: number): UpdateSource {
    const file = this.#add(path, "r");
    const head = new Uint8Array(HEADER_BYTES);
    const header = decodeHeader(head.subarray(0, readSync(file, head, 0, HEADER_BYTES, 0)));
    if (header.length !== length) refuseUpdate(`it has ${header.length} parameters, the model ${length}`);
    if (fstatSync(file).size !== updateBytes(header)) refuseUpdate("its size is not what its header says");
    const bytesOf = windowed(file, this.#window, (index) => chunkBytes(header, index));
    return { length, load: (index, into) => readChunk(header, index, bytesOf(index), into) };
  }

  /** @throws MODEL_INVALID when the file has another size */
  vector(path: string, length: number): VectorSource {
    const file = this.#add(path, "r");
    if (fstatSync(file).size !== 8 * length) {
      throw new IchainError("MODEL_INVALID", `The vector's file is not ${8 * length} bytes long.`);
    }
    const bytesOf = windowed(file, this.#window, (index) => vectorBytes(length, index));
    return { length, load: (index, into) => chunkFromBytes(bytesOf(index), into) };
  }

  /** A sink for chunks in ascending order; `flush` writes the last. The file must exist. */
  sink(path: string): VectorSink {
    const file = this.#add(path, "r+");
    const buffer = new Uint8Array(this.#window * CHUNK * 8);
    let [start, filled] = [0, 0];
    const write = () => {
      writeSync(file, buffer, 0, filled, start);
      filled = 0;
    };
    this.#pending.push(write);
    return {
      store: (index, from, size) => {
        if (filled === buffer.length) write();
        if (filled === 0) start = index * CHUNK * 8;
        buffer.set(chunkToBytes(from, size), filled);
        filled += size * 8;
      },
    };
  }

  flush(): void {
    for (const write of this.#pending) write();
  }

  [Symbol.dispose](): void {
    for (const file of this.#open) closeSync(file);
  }

  #add(path: string, flags: string): number {
    const file = openSync(path, flags);
    this.#open.push(file);
    return file;
  }
}

function vectorBytes(length: number, index: number): [from: number, to: number] {
  const from = index * CHUNK * 8;
  return [from, from + sizeOfChunk(length, index) * 8];
}

/** The bytes of a chunk; `range` says where they lie. Chunks that follow one another are read together. */
function windowed(file: number, window: number, range: (index: number) => [from: number, to: number]) {
  const [first, second] = range(0);
  const buffer = new Uint8Array((second - first) * window);
  let [start, filled] = [0, 0];
  return (index: number): Uint8Array => {
    const [from, to] = range(index);
    if (from < start || to > start + filled) {
      start = from;
      filled = readSync(file, buffer, 0, buffer.length, from);
    }
    return buffer.subarray(from - start, to - start);
  };
}

/** The bytes `[from, to)` of a file, piece by piece; to its end where `to` is absent. The pieces share their memory. */
export function* piecesOf(path: string, from = 0, to = Number.POSITIVE_INFINITY): Generator<Uint8Array> {
  const file = openSync(path, "r");
  try {
    const buffer = new Uint8Array(1 << 20);
    for (let at = from; at < to; ) {
      const read = readSync(file, buffer, 0, Math.min(buffer.length, to - at), at);
      if (read === 0) return;
      yield buffer.subarray(0, read);
      at += read;
    }
  } finally {
    closeSync(file);
  }
}
