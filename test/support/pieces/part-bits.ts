import { readFile } from "node:fs/promises";

/** Pieces of `count` that `<path>.state` marks as verified; none while there is no such file. */
export async function markedPieces(path: string, count: number): Promise<number[]> {
  const state = await readFile(`${path}.state`).catch(() => undefined);
  const bits = state?.subarray(-Math.ceil(count / 8));
  const isMarked = (piece: number) => bits !== undefined && (bits[piece >> 3]! & (1 << (piece & 7))) !== 0;
  return Array.from({ length: count }, (_, piece) => piece).filter(isMarked);
}
