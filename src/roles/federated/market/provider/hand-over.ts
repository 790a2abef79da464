import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Abortable, aborted } from "../../../../async/abort.ts";
import { IchainError } from "../../../../errors/error.ts";
import { toHex } from "../../../../protocol/bytes.ts";
import type { FederatedTerms } from "../../../../protocol/federated/market/terms.ts";
import { MOST_CHAIN_BYTES, readEvidence, writeEvidence } from "../../../../protocol/gossip/chain/evidence.ts";
import { type JobPool, poolTimes } from "../../../../protocol/gossip/job-pool.ts";
import type { Policy } from "../../../../protocol/policy/policy.ts";
import { type Refusal, refuse } from "../../../../protocol/policy/refusal.ts";
import type { WorkerContext } from "../../../context.ts";
import { chainDeadline } from "../../../shared/chain-deadline.ts";

/** How a model's file may end. */
const ENDS = [".safetensors", ".int8"] as const;

/** Reads a peer's chain from its store, as lines of a file. */
type ReadPeerChain = (path: string) => Promise<readonly string[]>;

/** The store of this home's peer of a network. */
function storeOf(jobsDir: string, network: string): string {
  return join(dirname(jobsDir), "gossip", network, "peer.db");
}

/** Why this home takes no part in a pool; undefined where it does: its policy takes it, and it has a peer of the network. */
export function refusePool(
  { federated: { gossip } }: Policy,
  jobsDir: string,
  { network }: JobPool,
): Refusal | undefined {
  if (gossip === "none" || (gossip !== "all" && !gossip.includes(network)))
    return refuse("GOSSIP_POOL_NOT_TAKEN", `the policy takes no pools of the network "${network}"`);
  if (existsSync(storeOf(jobsDir, network))) return undefined;
  return refuse("GOSSIP_POOL_NOT_TAKEN", `this home has no peer of the network "${network}"`);
}

/**
 * What this home's peer hands to a pool, once its time has come: its chain, and those models of it that are here, the
 * newest where there is no room for all.
 * @throws UPDATE_INVALID where validators would not take it
 */
export async function handEvidence(
  { market, jobsDir, account }: Pick<WorkerContext, "market" | "jobsDir" | "account">,
  { pool, terms, readChain }: { pool: JobPool; terms: FederatedTerms; readChain: ReadPeerChain | undefined },
  options: Abortable,
): Promise<Uint8Array> {
  if (pool.period > 0) {
    using clock = chainDeadline(poolTimes(pool, terms).until, market, options.signal);
    await aborted(clock.signal);
    options.signal.throwIfAborted();
  }
  const store = storeOf(jobsDir, pool.network);
  const lines = await readChain?.(store);
  if (lines === undefined)
    throw new IchainError("GOSSIP_STORE_DAMAGED", `The peer's store ${store} cannot be read.`);
  const chain = Buffer.from(lines.join("\n"));
  if (chain.length > Math.min(MOST_CHAIN_BYTES, pool.evidence))
    throw new IchainError("UPDATE_INVALID", "The peer's chain is larger than a pool's validators take.");
  const { blocks } = readEvidence(writeEvidence(chain, []), { account, pool });
  const { from } = poolTimes(pool, terms);
  const named = blocks.flatMap(({ block }) => block.transactions.map(({ transaction }) => transaction));
  const models = new Map<string, Uint8Array>();
  let room = pool.evidence - chain.length - 1024;
  for (const { model, create } of named.toReversed()) {
    // A receipt may be made an hour after its transaction, and clocks differ.
    if (models.has(model) || create < from - 7200) continue;
    const bytes = await modelOf(dirname(store), model);
    if (bytes === undefined) continue;
    room -= bytes.length + 4;
    if (room < 0) break;
    models.set(model, bytes);
  }
  return writeEvidence(chain, [...models.values()]);
}

/** A model that the peer showed, where it still has it. */
async function modelOf(folder: string, model: string): Promise<Uint8Array | undefined> {
  for (const path of ["shown", "models"].flatMap((place) =>
    ENDS.map((end) => join(folder, place, `${model.slice(2)}${end}`)),
  )) {
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes !== undefined && toHex(createHash("sha256").update(bytes).digest()) === model) return bytes;
  }
  return undefined;
}
