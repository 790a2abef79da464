import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../errors/error.ts";
import type { Transport } from "../../../ports/transport.ts";
import { type Envelope, envelopeSchema, MOST_MESSAGE_BYTES } from "../../../protocol/gossip/peer/envelope.ts";
import type { Endpoint } from "../../../protocol/parcel/locator.ts";
import type { Direction } from "./link.ts";
import type { Meter } from "./meter.ts";
import { readPart } from "./stream-writer.ts";

/** After a failure, milliseconds; twice as long each time. */
const [PAUSE_MS, LONGEST_PAUSE_MS] = [1_000, 30_000];
/** What a part costs of the traffic at least, bytes: many small ones are no way around it. */
const LEAST_PART = 16 << 10;

export interface StreamOptions {
  readonly transport: Pick<Transport, "fetchPart">;
  /** The neighbour's, with this peer's token. */
  readonly endpoint: () => Endpoint;
  readonly direction: Direction;
  readonly meter: Meter;
  /** A message came; not awaited. */
  take(envelope: Envelope): void;
  /** The neighbour answered, or did not. */
  answered(yes: boolean): void;
  /** The neighbour does not know this peer. */
  refused(options: Abortable): Promise<void>;
}

/**
 * Reads a neighbour's stream until the signal aborts. Whatever comes, what is held is bounded: one message, and one part.
 */
export async function readStream(options: StreamOptions, { signal }: Abortable): Promise<void> {
  const frames = new Frames();
  let pause = PAUSE_MS;
  while (!signal.aborted) {
    try {
      await options.meter.ready({ signal });
      const { transport, direction } = options;
      const request = { endpoint: options.endpoint(), id: direction.feed, from: frames.next };
      const begun = performance.now();
      const sealed = await transport.fetchPart(request, { signal });
      options.answered(true);
      if (sealed !== undefined) {
        options.meter.count(Math.max(LEAST_PART, sealed.length));
        for (const text of frames.add(direction.open(sealed))) options.take(parseEnvelope(text));
      } else if (performance.now() - begun < PAUSE_MS) {
        // It has no feed for this peer.
        await options.refused({ signal });
        await delay(pause, undefined, { signal });
      }
      pause = PAUSE_MS;
    } catch (error) {
      if (signal.aborted) return;
      if (!isIchainError(error)) throw error;
      options.answered(false);
      if (error.code === "GOSSIP_MESSAGE_INVALID") frames.reset();
      if (error.code === "TRANSFER_FORBIDDEN") await options.refused({ signal });
      await delay(pause, undefined, { signal }).catch(() => undefined);
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
  }
}

/** Messages of a stream that comes in parts. */
class Frames {
  #next = 0;
  #held = Buffer.alloc(0);

  /** Where the next part is to begin; 0 before the first. */
  get next(): number {
    return this.#next;
  }

  reset(): void {
    this.#next = 0;
    this.#held = Buffer.alloc(0);
  }

  /** The messages that are whole now. @throws GOSSIP_MESSAGE_INVALID */
  *add(plain: Uint8Array): Generator<string> {
    const part = readPart(plain);
    if (part === undefined) throw invalid("a part is too short");
    // The sender began again, or dropped what was not fetched: the rest of a message will not come.
    if (part.start !== this.#next) this.#held = Buffer.alloc(0);
    this.#next = part.start + part.bytes.length;
    this.#held = Buffer.concat([this.#held, part.bytes]);
    while (this.#held.length >= 4) {
      const length = this.#held.readUInt32BE();
      if (length > MOST_MESSAGE_BYTES) throw invalid(`a message has ${length} bytes`);
      if (this.#held.length < 4 + length) return;
      const text = this.#held.toString("utf8", 4, 4 + length);
      this.#held = this.#held.subarray(4 + length);
      yield text;
    }
  }
}

function parseEnvelope(text: string): Envelope {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid("it is no JSON", cause);
  }
  const { data, error } = envelopeSchema.safeParse(value);
  if (error) throw invalid(`its field ${error.issues[0]?.path.join(".") ?? ""} is not valid`);
  return data as Envelope;
}

function invalid(why: string, cause?: unknown): IchainError {
  return new IchainError("GOSSIP_MESSAGE_INVALID", `A neighbour's message cannot be used: ${why}.`, {
    cause,
  });
}
