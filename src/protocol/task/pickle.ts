/**
 * How a file is known for one that loads with Python's pickle, and so runs code of its author's choice: by its name, or
 * by what is in it: a `pickle`, a `torch` archive around one, or a NumPy array of `objects`.
 */
export const pickleSigns = ["name", "pickle", "torch", "objects"] as const;
export type PickleSign = (typeof pickleSigns)[number];

/** Bytes of a file's beginning and of its end that `pickleSign` looks at. */
export const PICKLE_START_BYTES = 1 << 14;
export const PICKLE_END_BYTES = 1 << 20;

const NAME = /\.(?:pkl|pickle|pck|pcl|dill|joblib|pt|pth|ckpt)(?:\.(?:gz|bz2|xz|lzma|lz4|z|zst))?$/i;

/** Opcodes of protocols 0 and 1, which have no mark of their own, as far as they name what is called. */
const TEXT_PICKLE = /^[(}\]lte.0]{0,8}[ci][\w.]+\n[\w.]+\n/;
const NPY = /^\x93NUMPY[\s\S]{4,6}\{[^\n]*['"][|<>=]?O\d*['"]/;

/**
 * Whether a file loads with pickle, as far as its name, its beginning and its end tell. A pickle that is compressed, or
 * of the old text form and dressed up, is known by its name alone.
 * @param start its first `PICKLE_START_BYTES`
 * @param end its last `PICKLE_END_BYTES`, needed of a zip archive only (`isZip`)
 */
export function pickleSign(path: string, start: Uint8Array, end: Uint8Array): PickleSign | undefined {
  const text = latin1(start);
  if (isBinaryPickle(start)) return "pickle";
  if (isZip(start) && holdsPickle(text, latin1(end))) return "torch";
  if (NPY.test(text)) return "objects";
  if (NAME.test(path)) return "name";
  return TEXT_PICKLE.test(text) ? "pickle" : undefined;
}

export function isZip(start: Uint8Array): boolean {
  return start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4;
}

/** The opcode PROTO, protocol 2 to 5, and another opcode: none is 0, which a safetensors file may have there. */
function isBinaryPickle([proto = 0, version = 0, next = 0]: Uint8Array): boolean {
  return proto === 0x80 && version >= 2 && version <= 5 && next !== 0;
}

/**
 * Whether an entry of a zip archive is named `….pkl`, as in everything that `torch.save` writes. It looks for the records
 * of the central directory and does not follow offsets, which may lie (APPNOTE.TXT, sections 4.3.7 and 4.3.12).
 */
function holdsPickle(start: string, end: string): boolean {
  if (nameAt(start, 26, 30).endsWith(".pkl")) return true;
  for (let at = end.indexOf("PK\x01\x02"); at >= 0; at = end.indexOf("PK\x01\x02", at + 1)) {
    if (nameAt(end, at + 28, at + 46).endsWith(".pkl")) return true;
  }
  return false;
}

function nameAt(text: string, length: number, name: number): string {
  return text.slice(name, name + text.charCodeAt(length) + 256 * text.charCodeAt(length + 1));
}

/** One character a byte. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}
