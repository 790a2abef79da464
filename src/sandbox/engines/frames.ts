const HEADER_BYTES = 8;

/**
 * Splits the engine's multiplexed output (8-byte header: stream, 0, 0, 0, length as uint32 BE) into its
 * payload. A frame is passed on piece by piece, so that a header cannot make us hold its claimed length.
 */
export async function* payload(
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let header = new Uint8Array(0);
  let left = 0;
  for await (const chunk of stream) {
    let at = 0;
    while (at < chunk.length) {
      if (left === 0) {
        const part = chunk.subarray(at, at + HEADER_BYTES - header.length);
        header = Uint8Array.from([...header, ...part]);
        at += part.length;
        if (header.length < HEADER_BYTES) break;
        left = new DataView(header.buffer).getUint32(4);
        header = new Uint8Array(0);
        continue;
      }
      const part = chunk.subarray(at, at + left);
      yield part;
      at += part.length;
      left -= part.length;
    }
  }
}
