import { inflateRawSync } from "node:zlib";
import { IchainError } from "../../../errors/error.ts";
import { type NumericArray, readNpy } from "./npy.ts";

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
/** Bytes of the end record, without its comment. */
const END_BYTES = 22;
const MAX_ENTRIES = 64;
/** Most bytes of one array, unpacked. */
const MAX_ARRAY = 1 << 30;

/**
 * Arrays of a numpy .npz file (a ZIP of .npy files, stored or deflated), by name. A stranger's file costs no more than its
 * bounds: entries and unpacked sizes are limited, and a size that the ZIP does not keep to is refused.
 * @throws DATA_INVALID
 */
export function readNpz(bytes: Uint8Array, wanted: readonly string[]): Map<string, NumericArray> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = entriesOf(view);
  return new Map(
    wanted.map((name) => {
      const entry = entries.find((one) => one.name === `${name}.npy`);
      if (entry === undefined) {
        const names = entries.map((one) => one.name.replace(/\.npy$/, "")).join(", ");
        throw new IchainError("DATA_INVALID", `The data file has no array "${name}"; it has: ${names}.`);
      }
      return [name, readNpy(unpack(view, entry))];
    }),
  );
}

interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly packed: number;
  readonly unpacked: number;
  readonly at: number;
}

function entriesOf(view: DataView): ZipEntry[] {
  let end = view.byteLength - END_BYTES;
  while (end >= 0 && view.byteLength - end < 65_600 && view.getUint32(end, true) !== END) end -= 1;
  if (end < 0 || view.getUint32(end, true) !== END) return refuse("it is no ZIP file");
  const count = view.getUint16(end + 10, true);
  if (count > MAX_ENTRIES) return refuse(`it has more than ${MAX_ENTRIES} arrays`);
  const entries: ZipEntry[] = [];
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== CENTRAL) return refuse("its directory is damaged");
    const name = view.getUint16(at + 28, true);
    const next = at + 46 + name + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > end) return refuse("its directory is damaged");
    entries.push({
      name: new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, name)),
      method: view.getUint16(at + 10, true),
      packed: view.getUint32(at + 20, true),
      unpacked: view.getUint32(at + 24, true),
      at: view.getUint32(at + 42, true),
    });
    at = next;
  }
  return entries;
}

function unpack(view: DataView, { method, packed, unpacked, at }: ZipEntry): Uint8Array {
  if (at + 30 > view.byteLength || view.getUint32(at, true) !== LOCAL) return refuse("an entry is damaged");
  const from = at + 30 + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  if (from + packed > view.byteLength || unpacked > MAX_ARRAY) return refuse("an entry is too large");
  const content = new Uint8Array(view.buffer, view.byteOffset + from, packed);
  if (method === 0 && packed === unpacked) return content;
  if (method !== 8) return refuse("an entry is packed in another way than by deflate");
  try {
    const inflated = inflateRawSync(content, { maxOutputLength: Math.max(1, unpacked) });
    if (inflated.length === unpacked) return inflated;
  } catch (cause) {
    return refuse("an entry cannot be unpacked", cause);
  }
  return refuse("an entry is shorter than it says");
}

function refuse(why: string, cause?: unknown): never {
  throw new IchainError("DATA_INVALID", `The data file cannot be used: ${why}.`, { cause });
}
