import { IchainError } from "../../errors/error.ts";
import { MAX_DEPTH, MAX_PATH_BYTES, MAX_SEGMENT_BYTES } from "../limits.ts";
import { neutraliseLine } from "../neutralise.ts";

/** Control characters break terminals and logs; direction overrides disguise a name. */
const HIDDEN = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const encoder = new TextEncoder();

/** Why `path` must not be created below a folder of this machine, in words; undefined when it may. */
export function pathProblem(path: string): string | undefined {
  if (path === "") return "is empty";
  if (!path.isWellFormed()) return "is not valid Unicode";
  if (longerThan(path, MAX_PATH_BYTES)) return "is too long";
  if (HIDDEN.test(path)) return "has control characters";
  if (path !== path.normalize("NFC")) return "is not in Unicode normal form C";
  if (path.includes("\\")) return "has a backslash";
  if (path.startsWith("/") || /^[a-z]:/i.test(path)) return "is absolute";
  const segments = path.split("/");
  if (segments.length > MAX_DEPTH) return "is nested too deeply";
  for (const segment of segments) {
    if (segment === "") return "has an empty segment";
    if (segment === "." || segment === "..") return `has a "${segment}" segment`;
    if (longerThan(segment, MAX_SEGMENT_BYTES)) return "has a segment that is too long";
  }
  return undefined;
}

/**
 * Checks that `path` is plain, relative and portable.
 * @throws PARCEL_UNSAFE_PATH
 */
export function checkPath(path: string): void {
  const problem = pathProblem(path);
  if (problem !== undefined) throw unsafe(path, problem);
}

/**
 * Checks each path and all together: no two may be the same on a file system that ignores case, and none may be a file
 * where another needs a folder. Returns the number of folders that they need.
 * @throws PARCEL_UNSAFE_PATH
 */
export function checkPaths(paths: readonly string[]): { folders: number } {
  for (const path of paths) checkPath(path);
  // With "/" sorted below every other character, all that lies in a folder follows it directly.
  const keys = paths.map((path) => ({ path, key: foldCase(path).replaceAll("/", "\0") }));
  keys.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  let folders = 0;
  let above: string[] = [];
  for (const [i, { path, key }] of keys.entries()) {
    const before = i > 0 ? keys[i - 1]!.key : undefined;
    if (before === key) throw unsafe(path, "is there twice (names that differ in case only count as one)");
    if (before !== undefined && key.startsWith(`${before}\0`)) throw unsafe(path, "lies in a file");
    const parents = key.split("\0").slice(0, -1);
    let shared = 0;
    while (shared < parents.length && parents[shared] === above[shared]) shared++;
    folders += parents.length - shared;
    above = parents;
  }
  return { folders };
}

/** Order of the UTF-8 bytes of well-formed strings, which is the order of their code points. */
export function comparePaths(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    // Surrogates stand for code points above U+FFFF, so they sort after every other unit.
    if (x !== y) return (isSurrogate(x) ? x + 0x10000 : x) - (isSurrogate(y) ? y + 0x10000 : y);
  }
  return a.length - b.length;
}

/** A path for messages: quoted, at most 80 characters, printable. */
export function quotePath(path: string): string {
  const shown = path.length > 80 ? `${path.slice(0, 80)}…` : path;
  return `"${neutraliseLine(shown)}"`;
}

/** Whether `text` is longer than `bytes` in UTF-8; encodes it only where its length does not decide that. */
function longerThan(text: string, bytes: number): boolean {
  if (text.length > bytes || text.length * 3 <= bytes) return text.length > bytes;
  return encoder.encode(text).length > bytes;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

function foldCase(path: string): string {
  return path.toUpperCase().toLowerCase().normalize("NFC");
}

function unsafe(path: string, problem: string): IchainError {
  return new IchainError("PARCEL_UNSAFE_PATH", `The path ${quotePath(path)} ${problem}.`, {
    details: { path: quotePath(path) },
  });
}
