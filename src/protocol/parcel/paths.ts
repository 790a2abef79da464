import { IchainError } from "../../errors/error.ts";
import { MAX_DEPTH, MAX_PATH_BYTES, MAX_SEGMENT_BYTES } from "../limits.ts";
import { harmless } from "../neutralise.ts";

// Control characters break terminals and logs; bidirectional overrides make a name read as another.
const HIDDEN = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const encoder = new TextEncoder();

/** What makes `path` unsafe to create below a folder of ours, in words; undefined when nothing does. */
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

/** Throws `PARCEL_UNSAFE_PATH`, class `untrusted`, unless `path` is plain, relative and portable. */
export function checkPath(path: string): void {
  const problem = pathProblem(path);
  if (problem !== undefined) throw unsafe(path, problem);
}

/**
 * Checks every path and all of them together: no two that are one on a file system that ignores case,
 * and no file where another path needs a folder. Returns the number of folders they need.
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

/** A path fit for a message: shortened, nothing unprintable. */
export function quotePath(path: string): string {
  const shown = path.length > 80 ? `${path.slice(0, 80)}…` : path;
  return `"${harmless(shown)}"`;
}

/** Whether `text` takes more than `bytes` in UTF-8; encodes it only where its length leaves that open. */
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
