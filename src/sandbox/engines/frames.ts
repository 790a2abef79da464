const HEADER_BYTES = 8;

/**
 * The payload of the engine's multiplexed output, whose frames have an 8-byte header: stream, 0, 0, 0, length as uint32
 * BE. Yields a frame in parts as they arrive, so that a header with a large length allocates no memory.
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
