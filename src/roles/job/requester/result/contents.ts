import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import { IchainError } from "../../../../errors/error.ts";
import { quotePath } from "../../../../protocol/parcel/paths.ts";
import {
  isZip,
  PICKLE_END_BYTES,
  PICKLE_START_BYTES,
  type PickleSign,
  pickleSign,
} from "../../../../protocol/task/pickle.ts";
import { headerBounds } from "../../../../protocol/tensors/bounds.ts";
import { readHeaderFrom, type TensorHeader, type TensorInfo } from "../../../../protocol/tensors/header.ts";

/** What the header of a `.safetensors` file says. */
export interface TensorFile {
  readonly file: string;
  readonly count: number;
  /** Elements of all tensors together. */
  readonly elements: number;
  readonly dataBytes: number;
  /** The first `SHOWN_TENSORS`, in the order of their data. */
  readonly tensors: readonly TensorInfo[];
}

export interface ResultContents {
  readonly tensorFiles: readonly TensorFile[];
  /** Files that run code when they are loaded. */
  readonly pickles: readonly { readonly file: string; readonly sign: PickleSign }[];
  /** Files that could not be read, or whose header is not what it should be. */
  readonly damaged: readonly { readonly file: string; readonly error: IchainError }[];
}

/** Tensors of one file that are kept by name. */
export const SHOWN_TENSORS = 100;
/** Of the headers of one result together: a result of nothing but headers must not keep its requester busy. */
const MAX_HEADERS_BYTES = 64 << 20;
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Says what lies in an opened result, from headers and first bytes: no tensor is loaded, and nothing of it is run.
 * @param files paths in `folder`
 */
export async function resultContents(
  folder: string,
  files: readonly string[],
  { signal }: Abortable,
): Promise<ResultContents> {
  const tensorFiles: TensorFile[] = [];
  const pickles: { file: string; sign: PickleSign }[] = [];
  const damaged: { file: string; error: IchainError }[] = [];
  let left = MAX_HEADERS_BYTES;
  for (const file of files) {
    signal.throwIfAborted();
    try {
      await using handle = await open(join(folder, file), FLAGS);
      const { size } = await handle.stat();
      if (/\.safetensors$/i.test(file)) {
        const headerBytes = Math.min(headerBounds.headerBytes, left);
        const read = (at: number, length: number) => {
          left -= length;
          return readAt(handle, at, length);
        };
        tensorFiles.push(summary(file, await readHeaderFrom(read, size, { ...headerBounds, headerBytes })));
        continue;
      }
      const start = await readAt(handle, 0, Math.min(size, PICKLE_START_BYTES));
      const rest = isZip(start) ? Math.min(size, PICKLE_END_BYTES) : 0;
      const sign = pickleSign(file, start, await readAt(handle, size - rest, rest));
      if (sign !== undefined) pickles.push({ file, sign });
    } catch (cause) {
      damaged.push({ file, error: damage(file, cause) });
    }
  }
  return { tensorFiles, pickles, damaged };
}

function summary(file: string, { tensors, dataBytes }: TensorHeader): TensorFile {
  const elements = tensors.reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
  return { file, count: tensors.length, elements, dataBytes, tensors: tensors.slice(0, SHOWN_TENSORS) };
}

/** `length` bytes from `at`, or fewer where the file ends. */
async function readAt(handle: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, at + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

function damage(file: string, cause: unknown): IchainError {
  if (cause instanceof IchainError) return cause;
  return new IchainError("PARCEL_IO", `The file ${quotePath(file)} of the result cannot be read.`, { cause });
}
