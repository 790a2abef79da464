import { raceSignal } from "../../../async/abort.ts";
import type { Feed } from "../../../ports/transport.ts";
import { FEED_PART_BYTES } from "../../../protocol/limits.ts";
import type { Direction } from "./link.ts";

/** What waits for one neighbour at most, bytes; the oldest gives way. */
const MOST_WAITING = 8 << 20;
/** Before the bytes of a part: where they begin in the stream. */
const OFFSET = 8;
/** Of a part before it is sealed. */
const PART = FEED_PART_BYTES - 1024;
/** Bytes of the stream in a millisecond: a later process begins behind all that an earlier one wrote. */
const PER_MS = 128;

interface Entry {
  readonly at: number;
  readonly bytes: Buffer;
}

/** The stream of messages that one neighbour reads as a feed: what it asks for next shows what it has. */
export class StreamWriter {
  readonly #direction: Direction;
  readonly #entries: Entry[] = [];
  #end: number;
  #waiting = 0;
  #changed = Promise.withResolvers<void>();

  constructor(direction: Direction, now: number) {
    this.#direction = direction;
    this.#end = now * PER_MS;
  }

  /** `message`: a JSON text of at most `MOST_MESSAGE_BYTES`. */
  push(message: string): void {
    const text = Buffer.from(message);
    const bytes = Buffer.alloc(4 + text.length);
    bytes.writeUInt32BE(text.length);
    text.copy(bytes, 4);
    this.#entries.push({ at: this.#end, bytes });
    this.#end += bytes.length;
    this.#waiting += bytes.length;
    while (this.#waiting > MOST_WAITING) this.#drop();
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  clear(): void {
    while (this.#entries.length > 0) this.#drop();
  }

  get feed(): Feed {
    return {
      id: this.#direction.feed,
      read: async (from, { signal }) => {
        for (;;) {
          const part = this.#partFrom(from);
          if (part !== undefined) return this.#direction.seal(part);
          try {
            await raceSignal(this.#changed.promise, signal);
          } catch {
            return undefined;
          }
        }
      },
    };
  }

  #partFrom(from: number): Buffer | undefined {
    // Asked for from here on: what is before has come.
    if (from <= this.#end) while (this.#entries[0] && after(this.#entries[0]) <= from) this.#drop();
    const [first] = this.#entries;
    if (first === undefined) return undefined;
    const start = from < first.at || from > this.#end ? first.at : from;
    const head = Buffer.alloc(OFFSET);
    head.writeBigUInt64BE(BigInt(start));
    const parts: Buffer[] = [head];
    let room = PART;
    for (const { at, bytes } of this.#entries) {
      if (room === 0) break;
      const part = bytes.subarray(Math.max(0, start - at), Math.max(0, start - at) + room);
      parts.push(part);
      room -= part.length;
    }
    return Buffer.concat(parts);
  }

  #drop(): void {
    this.#waiting -= this.#entries.shift()!.bytes.length;
  }
}

const after = ({ at, bytes }: Entry): number => at + bytes.length;

/** What a part of a feed holds; undefined where it is too short to be one. */
export function readPart(part: Uint8Array): { readonly start: number; readonly bytes: Buffer } | undefined {
  const all = Buffer.from(part.buffer, part.byteOffset, part.length);
  if (all.length <= OFFSET) return undefined;
  const start = Number(all.readBigUInt64BE());
  return Number.isSafeInteger(start) ? { start, bytes: all.subarray(OFFSET) } : undefined;
}
