import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { IchainError } from "../../../errors/error.ts";
import { type Genesis, genesisDigest } from "../../../protocol/gossip/genesis.ts";
import type { PeerEvidence } from "../../../protocol/gossip/settle/counted.ts";
import { openChain } from "../open-chain.ts";

/** A contract has places for no more. */
const MOST_PEERS = 255;

/**
 * The chains in a folder (`*.db`, `*.chain`), each of which is checked; those without a block count for nothing.
 * @throws GOSSIP_EVIDENCE_INVALID and the codes of `openChain`
 */
export async function openEvidence(
  folder: string,
): Promise<{ readonly genesis: Genesis; readonly peers: readonly PeerEvidence[] }> {
  const names = await readdir(folder).catch((cause) => {
    throw new IchainError("GOSSIP_EVIDENCE_INVALID", `The folder ${folder} cannot be read.`, { cause });
  });
  const paths = names
    .filter((name) => /\.(db|chain)$/.test(name))
    .sort()
    .map((name) => join(folder, name));
  if (paths.length > MOST_PEERS) refuse(folder, `has ${paths.length} chains, more than ${MOST_PEERS}`);
  let network: Genesis | undefined;
  const peers = new Map<string, PeerEvidence>();
  for (const path of paths) {
    const { genesis, blocks } = await openChain(path);
    network ??= genesis;
    if (genesisDigest(genesis) !== genesisDigest(network)) refuse(folder, "has chains of two networks");
    const account = blocks[0]?.block.creator.account;
    if (account === undefined) continue;
    if (peers.has(account)) refuse(folder, `has two chains of ${account}`);
    peers.set(account, { account, blocks });
  }
  if (network === undefined || peers.size === 0) refuse(folder, "has no chain with a block");
  return { genesis: network, peers: [...peers.values()].sort((a, b) => (a.account < b.account ? -1 : 1)) };
}

function refuse(folder: string, why: string): never {
  throw new IchainError("GOSSIP_EVIDENCE_INVALID", `The folder ${folder} ${why}.`);
}
