import { unusableAnswer } from "../rpc/quantities.ts";

/** Bytes of one ABI word. */
const WORD = 32;

/**
 * The elements of an ABI-encoded array of dynamic tuples (the sole return value of a function), each as the
 * encoding of that tuple alone. ethers copies the rest of the answer for every element that it decodes, which would
 * cost the square of the page's length.
 * @throws CHAIN_UNAVAILABLE on anything malformed
 */
export function splitArray(answer: Uint8Array, most: number): Buffer[] {
  try {
    return split(answer, most);
  } catch (cause) {
    throw unusableAnswer("a page of offers", cause);
  }
}

function split(answer: Uint8Array, most: number): Buffer[] {
  const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  const start = wordAt(view, 0) + WORD;
  const length = wordAt(view, start - WORD);
  if (length > most) throw new RangeError(`${length} elements where ${most} were asked for`);
  const offsets = Array.from({ length }, (_, i) => start + wordAt(view, start + i * WORD));
  return offsets.map((from, i) => {
    const to = offsets[i + 1] ?? answer.length;
    if (from > to) throw new RangeError("elements out of order");
    const tuple = Buffer.alloc(WORD + to - from);
    tuple[WORD - 1] = WORD;
    tuple.set(answer.subarray(from, to), WORD);
    return tuple;
  });
}

/** A word that is an offset or a length: 32 bits are enough for every valid one. */
function wordAt(view: DataView, at: number): number {
  for (let i = 0; i < WORD - 4; i += 4) {
    if (view.getUint32(at + i) !== 0) throw new RangeError("an offset beyond all bounds");
  }
  const value = view.getUint32(at + WORD - 4);
  if (value > view.byteLength) throw new RangeError("an offset behind the end");
  return value;
}
