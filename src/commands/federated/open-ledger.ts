import { open } from "node:fs/promises";
import { IchainError } from "../../errors/error.ts";
import { type Ledger, readLedger } from "../../protocol/federated/ledger/ledger.ts";

const MAX_BYTES = 256 << 20;

/**
 * Reads and checks the ledger in a file.
 * @throws LEDGER_UNREADABLE; LEDGER_MALFORMED, LEDGER_BROKEN
 */
export async function openLedger(path: string): Promise<Ledger> {
  return readLedger((await readText(path)).split("\n"));
}

async function readText(path: string): Promise<string> {
  try {
    await using file = await open(path, "r");
    const { size } = await file.stat();
    if (size > MAX_BYTES) {
      throw new IchainError("LEDGER_UNREADABLE", `The ledger ${path} is larger than ${MAX_BYTES} bytes.`);
    }
    return await file.readFile("utf8");
  } catch (cause) {
    if (cause instanceof IchainError) throw cause;
    throw new IchainError("LEDGER_UNREADABLE", `The ledger ${path} cannot be read.`, { cause });
  }
}
