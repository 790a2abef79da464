import { readFile, stat, writeFile } from "node:fs/promises";
import { IchainError } from "../../../errors/error.ts";
import { type PoolTicket, poolTicketSchema } from "../../../protocol/gossip/settle/pool.ts";

const MAX_BYTES = 1 << 20;

/**
 * What `ichain gossip pool` wrote for peers.
 * @throws GOSSIP_POOL_INVALID
 */
export async function readTicket(path: string): Promise<PoolTicket> {
  try {
    if ((await stat(path)).size > MAX_BYTES) throw new RangeError(`more than ${MAX_BYTES} bytes`);
    return poolTicketSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new IchainError("GOSSIP_POOL_INVALID", `The file ${path} is no ticket of a pool.`, { cause });
  }
}

/** Only its requester makes a ticket, and makes it before the pool is posted; a file that is there stays as it is. */
export async function writeTicket(path: string, ticket: PoolTicket): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify(ticket)}\n`, { flag: "wx" });
  } catch (cause) {
    throw new IchainError("GOSSIP_POOL_INVALID", `The ticket cannot be written to ${path}.`, {
      hint: "Name a file that does not exist yet, in a folder that you may write to.",
      cause,
    });
  }
}
