import type { AbortOptions } from "../../../async/abort.ts";
import { IchainError } from "../../../errors/error.ts";
import { type Block, findBlock, readHead } from "../blocks.ts";
import { answered, parseQuantity } from "../quantities.ts";
import { connectRpc, type Rpc } from "../rpc.ts";
import { hostsOf } from "./nodes.ts";

/** The state of one node. */
interface Found {
  readonly host: string;
  /** Undefined when the node gives no usable answer. */
  readonly chainId: number | undefined;
  /** Its newest block's time, Unix seconds. */
  readonly headTime: number | undefined;
  /** Has the same block as most others at the height that all have; undefined when unknown. */
  readonly agrees: boolean | undefined;
}

const TIMES = { timeoutMs: 10_000, retryMs: [250] };

/** Examines each node by itself, for `ichain doctor`. */
export async function compareNodes(
  urls: readonly string[],
  chainId: number,
  options: AbortOptions,
): Promise<Found[]> {
  const hosts = hostsOf(urls);
  const found = await Promise.all(urls.map((url) => examine(connectRpc(url, TIMES), options)));
  const heads = found.flatMap(({ id, head }) => (id === chainId && head !== undefined ? [head.number] : []));
  const height = Math.min(...heads);
  const hashes = await Promise.all(
    found.map(({ rpc, id, head }) =>
      id === chainId && head !== undefined
        ? unlessUnavailable(async () => (await findBlock(rpc, height, options))?.hash, options)
        : undefined,
    ),
  );
  const votes = (hash: string | undefined) => hashes.filter((other) => other === hash).length;
  const most = Math.max(0, ...hashes.flatMap((hash) => (hash === undefined ? [] : [votes(hash)])));
  const tied = new Set(hashes.filter((hash) => hash !== undefined && votes(hash) === most)).size > 1;
  return found.map(({ id, head }, i) => ({
    host: hosts[i] as string,
    chainId: id,
    headTime: head?.time,
    agrees: hashes[i] === undefined ? undefined : !tied && votes(hashes[i]) === most,
  }));
}

async function examine(
  rpc: Rpc,
  options: AbortOptions,
): Promise<{ rpc: Rpc; id: number | undefined; head: Block | undefined }> {
  const chain = async () =>
    Number(answered(parseQuantity, await rpc.send("eth_chainId", [], options), "its chain id"));
  const [id, head] = await Promise.all([
    unlessUnavailable(chain, options),
    unlessUnavailable(() => readHead(rpc, options), options),
  ]);
  return { rpc, id, head };
}

async function unlessUnavailable<T>(
  work: () => Promise<T>,
  { signal }: AbortOptions,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof IchainError)) throw error;
    return undefined;
  }
}
