import type { Socket } from "node:net";
import { IchainError } from "../errors/error.ts";

/**
 * The lines of a socket, without their newlines, until its other end closes; bytes after the last newline are dropped.
 * @throws CONTROL_INVALID for a line of more than `maxBytes`, newline included
 */
export async function* linesOf(socket: Socket, maxBytes: number): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  // The socket stays open where the reader leaves: it may have something to answer.
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      if (end >= maxBytes) throw tooLong(maxBytes);
      yield rest.subarray(0, end).toString();
      rest = rest.subarray(end + 1);
    }
    if (rest.length >= maxBytes) throw tooLong(maxBytes);
  }
}

/** @throws CONTROL_INVALID */
export function parseLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (cause) {
    throw new IchainError("CONTROL_INVALID", "A line on a daemon's socket is not JSON.", { cause });
  }
}

function tooLong(maxBytes: number): IchainError {
  return new IchainError("CONTROL_INVALID", `A line on a daemon's socket has more than ${maxBytes} bytes.`);
}
