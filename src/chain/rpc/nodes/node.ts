import type { AbortOptions } from "../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../errors/error.ts";
import type { Warn } from "../../warnings.ts";
import { answered, parseQuantity } from "../quantities.ts";
import { type Rpc, RpcRefusal } from "../rpc.ts";

/** How long a node that gave no answer is left alone at most. */
const LONGEST_PAUSE_MS = 300_000;

export type NodeAnswer =
  | { readonly kind: "value"; readonly node: Node; readonly value: unknown }
  | { readonly kind: "refusal"; readonly node: Node; readonly refusal: RpcRefusal }
  | { readonly kind: "none"; readonly node: Node; readonly error: unknown };

/** One of several nodes: what it says, and whether it says anything. */
export interface Node {
  readonly host: string;
  /** It answered when it was last asked, and stands on the right chain. */
  readonly up: boolean;
  /** Its head stands still while another node's goes on; set by who compares heads. */
  behind: boolean;
  /** Its newest block's hash, and since when (monotonic milliseconds). */
  head: { hash: string; since: number } | undefined;
  /** Throws only what `signal` is aborted with. */
  ask(method: string, params: readonly unknown[], options: AbortOptions): Promise<NodeAnswer>;
  /** The same node for one who asks it alone; throws as an `Rpc` does. */
  readonly alone: Rpc;
  close(): void;
}

export interface NodeOptions {
  readonly host: string;
  readonly chainId: number;
  /** How long it is left alone at first when it gave no answer. */
  readonly pauseMs: number;
  readonly warn: Warn;
}

export function watchNode(rpc: Rpc, { host, chainId, pauseMs: firstPauseMs, warn }: NodeOptions): Node {
  const closed = new AbortController();
  let checked = false;
  let out: { until: number } | undefined;
  let probing = false;
  let pauseMs = firstPauseMs;
  let told = false;

  async function checkChain(options: AbortOptions): Promise<void> {
    const found = answered(parseQuantity, await rpc.send("eth_chainId", [], options), "its chain id");
    if (found !== BigInt(chainId)) throw otherChain(host, chainId, String(found));
    checked = true;
  }
  function fail(): void {
    out = { until: performance.now() + pauseMs };
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    if (!told) warn({ kind: "node-silent", host });
    told = true;
  }
  /** Nobody waits for a node that was out: it comes back when it answers this. */
  function probe(): void {
    if (probing || closed.signal.aborted || out === undefined || performance.now() < out.until) return;
    probing = true;
    checkChain({ signal: closed.signal })
      .then(
        () => {
          out = undefined;
        },
        () => {
          if (!closed.signal.aborted) fail();
        },
      )
      .finally(() => {
        probing = false;
      });
  }
  async function send(
    method: string,
    params: readonly unknown[],
    options: AbortOptions = {},
  ): Promise<unknown> {
    try {
      if (!checked) await checkChain(options);
      const value = await rpc.send(method, params, options);
      [out, pauseMs] = [undefined, firstPauseMs];
      return value;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof RpcRefusal) out = undefined;
      else if (isIchainError(error)) fail();
      throw error;
    }
  }

  const node: Node = {
    host,
    get up() {
      probe();
      return out === undefined;
    },
    behind: false,
    head: undefined,
    async ask(method, params, options) {
      try {
        return { kind: "value", node, value: await send(method, params, options) };
      } catch (error) {
        if (error instanceof RpcRefusal) return { kind: "refusal", node, refusal: error };
        if (options.signal?.aborted || !isIchainError(error)) throw error;
        return { kind: "none", node, error };
      }
    },
    alone: { url: rpc.url, send },
    close: () => closed.abort(),
  };
  return node;
}

function otherChain(host: string, expected: number, found: string): IchainError {
  return new IchainError(`The node at ${host} is on chain ${found}, the network is chain ${expected}.`, {
    code: "CHAIN_MISMATCH",
    class: "config",
    hint: "Give the RPC URL of a node on that chain, or choose the network that the node is on.",
    details: { host, expected, found },
  });
}
