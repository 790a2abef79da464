import { open } from "node:fs/promises";
import { IchainError } from "../../../errors/error.ts";

/**
 * Reads a file of at most `most` bytes, which a task or another party wrote.
 * @throws MODEL_INVALID when it is missing or larger
 */
export async function readBounded(path: string, most: number): Promise<Uint8Array> {
  const file = await open(path, "r").catch((cause: unknown) => {
    throw new IchainError("MODEL_INVALID", "The task, or the other party, left no file of the name.", {
      cause,
    });
  });
  try {
    const { size } = await file.stat();
    if (size > most)
      throw new IchainError("MODEL_INVALID", `A file has ${size} bytes, at most ${most} are read.`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}
