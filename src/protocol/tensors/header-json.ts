import { IchainError } from "../../errors/error.ts";
import type { HeaderBounds } from "./bounds.ts";

/** One tensor as a header declares it, of which nothing but the form is checked. */
export interface DeclaredTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte and the byte after the last, counted from the end of the header. */
  readonly offsets: readonly [start: number, end: number];
}

export interface DeclaredHeader {
  readonly tensors: readonly DeclaredTensor[];
  readonly metadata: ReadonlyMap<string, string>;
}

const METADATA = "__metadata__";
/** Longest digits of a number up to 2^53 - 1. */
const MAX_DIGITS = 16;
const MAX_DTYPE_CHARS = 32;

/**
 * Reads the JSON of a safetensors header. It reads this one grammar instead of JSON at large, because `JSON.parse` would
 * build whatever a stranger nests, and keep the last of two equal keys where another reader keeps the first.
 * @throws TENSORS_MALFORMED
 * @throws TENSORS_TOO_LARGE
 */
export function parseHeaderJson(json: string, bounds: HeaderBounds): DeclaredHeader {
  const scanner = new Scanner(json);
  const tensors: DeclaredTensor[] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  if (json[0] !== "{") throw scanner.malformed("it does not begin with {");
  scanner.object(bounds.nameBytes, bounds.tensors + 1, "tensors", (name) => {
    if (name === METADATA) metadata = parseMetadata(scanner, bounds);
    else tensors.push(parseTensor(scanner, name, bounds));
  });
  scanner.end();
  if (tensors.length > bounds.tensors) throw tooLarge(`more than ${bounds.tensors} tensors`);
  return { tensors, metadata };
}

function parseMetadata(scanner: Scanner, bounds: HeaderBounds): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  scanner.object(bounds.nameBytes, bounds.metadata, "entries of __metadata__", (key) => {
    metadata.set(key, scanner.string(bounds.headerBytes));
  });
  return metadata;
}

function parseTensor(scanner: Scanner, name: string, bounds: HeaderBounds): DeclaredTensor {
  let dtype: string | undefined;
  let shape: readonly number[] | undefined;
  let offsets: readonly number[] | undefined;
  scanner.object(MAX_DTYPE_CHARS, 3, "fields of a tensor", (field) => {
    if (field === "dtype") dtype = scanner.string(MAX_DTYPE_CHARS);
    else if (field === "shape") shape = scanner.integers(bounds.dimensions, "dimensions");
    else if (field === "data_offsets") offsets = scanner.integers(2, "offsets of a tensor");
    else throw scanner.malformed("a tensor has a field that the format does not know");
  });
  const [start, end] = offsets ?? [];
  if (dtype === undefined || shape === undefined || start === undefined || end === undefined) {
    throw scanner.malformed("a tensor lacks its dtype, shape or data_offsets");
  }
  return { name, dtype, shape, offsets: [start, end] };
}

const utf8 = new TextEncoder();

/** Reads values one after the other; `at` is the place of the next character. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Calls `value` after each key, where it has to read the key's value. */
  object(maxKeyBytes: number, maxKeys: number, what: string, value: (key: string) => void): void {
    const keys = new Set<string>();
    this.#list("{", "}", maxKeys, what, () => {
      const key = this.string(maxKeyBytes);
      if (keys.has(key)) throw this.malformed("a key appears twice");
      keys.add(key);
      this.#expect(":");
      value(key);
    });
  }

  integers(most: number, what: string): number[] {
    const found: number[] = [];
    this.#list("[", "]", most, what, () => found.push(this.#integer()));
    return found;
  }

  /** A string of at most `maxBytes` in UTF-8, escapes resolved. */
  string(maxBytes: number): string {
    this.#expect('"');
    const start = this.#at - 1;
    // An escape takes six characters for one, or twelve for a pair that makes four bytes.
    const limit = start + 6 * maxBytes + 2;
    let escapes = false;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at++);
      if (Number.isNaN(code)) throw this.malformed("a string does not end");
      if (code === 0x22) break;
      if (code === 0x5c) {
        escapes = true;
        this.#at++;
      }
      if (code < 0x20) throw this.malformed("a string has a control character");
      if (this.#at > limit) throw tooLarge(`a string of more than ${maxBytes} bytes`);
    }
    const text = escapes
      ? this.#parse(this.#text.slice(start, this.#at))
      : this.#text.slice(start + 1, this.#at - 1);
    if (!text.isWellFormed()) throw this.malformed("a string is no Unicode text");
    // A character of a string takes three bytes at most.
    if (3 * text.length > maxBytes && utf8.encode(text).length > maxBytes) {
      throw tooLarge(`a string of more than ${maxBytes} bytes`);
    }
    return text;
  }

  /** What the format allows after the header's object: spaces. */
  end(): void {
    while (this.#text[this.#at] === " ") this.#at++;
    if (this.#at < this.#text.length) throw this.malformed("something follows its object");
  }

  malformed(why: string): IchainError {
    return new IchainError("TENSORS_MALFORMED", `The safetensors header is malformed: ${why}.`, {
      details: { at: this.#at },
    });
  }

  #list(open: string, close: string, most: number, what: string, item: () => void): void {
    this.#expect(open);
    if (this.#next() === close) {
      this.#at++;
      return;
    }
    for (let count = 1; ; count++) {
      if (count > most) throw tooLarge(`more than ${most} ${what}`);
      item();
      const after = this.#next();
      this.#at++;
      if (after === close) return;
      if (after !== ",") throw this.malformed(`${JSON.stringify(close)} or a comma is missing`);
    }
  }

  #integer(): number {
    this.#next();
    const start = this.#at;
    while (isDigit(this.#text.charCodeAt(this.#at)) && this.#at - start <= MAX_DIGITS) this.#at++;
    const digits = this.#text.slice(start, this.#at);
    const value = Number(digits);
    if (digits === "" || (digits.length > 1 && digits[0] === "0") || !Number.isSafeInteger(value)) {
      throw this.malformed("a size or an offset is no whole number up to 2^53 - 1");
    }
    return value;
  }

  #parse(quoted: string): string {
    try {
      return JSON.parse(quoted) as string;
    } catch {
      throw this.malformed("a string has an unknown escape");
    }
  }

  #expect(character: string): void {
    if (this.#next() !== character) throw this.malformed(`${JSON.stringify(character)} is missing`);
    this.#at++;
  }

  /** The next character that is not white space. */
  #next(): string | undefined {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
    return this.#text[this.#at];
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function tooLarge(what: string): IchainError {
  return new IchainError("TENSORS_TOO_LARGE", `The safetensors header has ${what}.`);
}
