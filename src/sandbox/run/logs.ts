import { neutralise } from "../../protocol/neutralise.ts";

/** What is kept of a task's output: a quarter for the beginning and three for the end, where metrics are printed. */
export interface BoundedLog {
  push(chunk: Uint8Array): string;
  /** Returns what an incomplete last character decodes to. Call it once, at the end. */
  end(): string;
  text(): string;
  readonly truncated: boolean;
}

/**
 * Decodes and neutralises output chunk by chunk and keeps at most `maxBytes` of it. `push` returns the neutralised text
 * of the chunk, for live display.
 */
export function boundedLog(maxBytes: number): BoundedLog {
  const decoder = new TextDecoder("utf-8");
  const headRoom = Math.floor(maxBytes / 4);
  const tailRoom = maxBytes - headRoom;
  let head = "";
  let headFull = false;
  let headBytes = 0;
  const tail: { text: string; bytes: number }[] = [];
  let tailBytes = 0;
  let lost = 0;

  function keep(text: string): string {
    for (let at = 0; at < text.length; at += 4096) keepPiece(text.slice(at, at + 4096));
    return text;
  }

  function keepPiece(text: string): void {
    const bytes = Buffer.byteLength(text);
    headFull ||= headBytes + bytes > headRoom;
    if (!headFull) {
      head += text;
      headBytes += bytes;
      return;
    }
    tail.push({ text, bytes });
    tailBytes += bytes;
    while (tailBytes > tailRoom) {
      const oldest = tail.shift();
      if (oldest === undefined) return;
      tailBytes -= oldest.bytes;
      lost += oldest.bytes;
    }
  }

  return {
    push: (chunk) => keep(neutralise(decoder.decode(chunk, { stream: true }))),
    end: () => keep(neutralise(decoder.decode())),
    text: () => {
      const gap = lost > 0 ? `\n[${lost} bytes left out]\n` : "";
      return (head + gap + tail.map((piece) => piece.text).join("")).toWellFormed();
    },
    get truncated() {
      return lost > 0;
    },
  };
}
