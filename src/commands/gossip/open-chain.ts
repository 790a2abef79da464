import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { readPeerChain } from "../../compose.ts";
import { IchainError } from "../../errors/error.ts";
import { type GossipChain, readChain } from "../../protocol/gossip/chain/chain-file.ts";

const MAX_BYTES = 512 << 20;
const SQLITE = "SQLite format 3\0";

/**
 * Reads and checks all of a chain, from a peer's store or from a file that `gossip export` wrote.
 * @throws GOSSIP_CHAIN_UNREADABLE, GOSSIP_CHAIN_MALFORMED, GOSSIP_CHAIN_BROKEN; the codes of the store
 */
export async function openChain(path: string): Promise<GossipChain> {
  const text = await readText(path);
  return text === undefined ? readChain(await storedLines(path)) : readChain(text.split("\n"));
}

/** A peer's chain as lines of a file, as it is in its store. */
export async function storedLines(path: string): Promise<string[]> {
  if (!existsSync(path)) throw unreadable(path);
  return await readPeerChain(path);
}

/** Undefined for a peer's store. */
async function readText(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, "r");
    const { size } = await file.stat();
    const { buffer } = await file.read(Buffer.alloc(SQLITE.length), 0, SQLITE.length, 0);
    if (buffer.toString("latin1") === SQLITE) return undefined;
    if (size > MAX_BYTES) {
      throw new IchainError(
        "GOSSIP_CHAIN_UNREADABLE",
        `The chain ${path} is larger than ${MAX_BYTES} bytes.`,
      );
    }
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await file.read(bytes, 0, size, 0);
    return bytes.toString("utf8", 0, bytesRead);
  } catch (cause) {
    if (cause instanceof IchainError) throw cause;
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause?: unknown): IchainError {
  return new IchainError("GOSSIP_CHAIN_UNREADABLE", `The chain ${path} cannot be read.`, { cause });
}
