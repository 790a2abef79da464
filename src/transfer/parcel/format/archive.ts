import { comparePaths } from "../../../protocol/parcel/paths.ts";

/**
 * The archive inside a parcel: a POSIX tar (ustar, pax) in which every byte except the contents follows from the
 * manifest. The reader therefore does not parse it: it computes the expected header and compares. Links, devices,
 * duplicates and extra entries cannot be expressed.
 */

const BLOCK = 512;
/** Two zero blocks end a tar. */
export const ARCHIVE_END = 2 * BLOCK;
/**
 * Bytes of archive in one data message; the last one may have fewer. Leaves room for what zstd may add, so that a
 * message is one AEAD chunk of 4 MiB.
 */
export const SLICE_BYTES = (4 << 20) - (32 << 10);
/** Largest value of a ustar size field, eleven octal digits; bytes. */
const USTAR_MAX_SIZE = 0o77777777777;
/** Longest ustar name, characters. */
const USTAR_NAME = 100;

export interface ArchiveFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly executable: boolean;
}

/** The blocks before a file's content: a ustar header, after a pax header where path or size need one. */
export function entryHeader(file: ArchiveFile): Uint8Array {
  const size = Math.min(file.size, USTAR_MAX_SIZE);
  const header = ustar(fitsUstar(file.path) ? file.path : "see-pax-header", size, file.executable, "0");
  const pax = Buffer.from(paxRecords(file));
  if (pax.length === 0) return header;
  const padding = Buffer.alloc(paddingOf(pax.length));
  return Buffer.concat([ustar("pax-header", pax.length, false, "x"), pax, padding, header]);
}

function headerBytes(file: ArchiveFile): number {
  const pax = Buffer.byteLength(paxRecords(file));
  return pax === 0 ? BLOCK : BLOCK + pax + paddingOf(pax) + BLOCK;
}

/** False outside ASCII: a ustar name has no defined encoding there, a pax record is UTF-8. */
function fitsUstar(path: string): boolean {
  return path.length <= USTAR_NAME && /^[\x20-\x7e]*$/.test(path);
}

function paxRecords(file: ArchiveFile): string {
  const path = fitsUstar(file.path) ? "" : paxRecord("path", file.path);
  return file.size > USTAR_MAX_SIZE ? path + paxRecord("size", String(file.size)) : path;
}

/** Zero bytes after a content of `size` bytes. */
export function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** Length of the whole archive of `files`, bytes. */
export function archiveBytes(files: readonly ArchiveFile[]): number {
  return files.reduce((sum, file) => sum + headerBytes(file) + file.size + paddingOf(file.size), ARCHIVE_END);
}

/** True when `files` are in the order of an archive (`comparePaths`), each path once. */
export function inArchiveOrder(files: readonly ArchiveFile[]): boolean {
  return files.every((file, i) => i === 0 || comparePaths(files[i - 1]!.path, file.path) < 0);
}

function ustar(name: string, size: number, executable: boolean, type: "0" | "x"): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, "latin1");
  header.write(executable ? "0000755\0" : "0000644\0", 100);
  header.write("0000000\0", 108); // owner
  header.write("0000000\0", 116); // group
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136); // time of change
  header.fill(" ", 148, 156); // the checksum counts itself as spaces
  header.write(type, 156);
  header.write("ustar\x0000", 257, "latin1");
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

/** `LENGTH key=value\n`, where LENGTH counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}
